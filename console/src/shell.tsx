import { type ReactNode, useEffect, useRef, useState } from "react";
import { addressOf, type Place } from "./lib/router.ts";
import { useConsole } from "./lib/session.ts";
import { themes, useTheme } from "./lib/theme.ts";
import { RangePicker } from "./range-picker.tsx";
import { Icon, type IconName } from "./ui/icon.tsx";
import { Mark } from "./ui/mark.tsx";
import { Button } from "./ui/parts.tsx";

interface NavItem {
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
}
const groups: ReadonlyArray<{ readonly name: string | null; readonly items: readonly NavItem[] }> = [
  {
    name: null,
    items: [
      { path: "/", name: "Overview", icon: "overview" },
      { path: "/requests", name: "Requests", icon: "requests" },
    ],
  },
  {
    name: "Customers",
    items: [
      { path: "/accounts", name: "Accounts", icon: "accounts" },
      { path: "/keys", name: "Keys", icon: "keys" },
      { path: "/ledger", name: "Ledger", icon: "ledger" },
    ],
  },
  {
    name: "Vendors",
    items: [
      { path: "/prices", name: "Prices", icon: "prices" },
      { path: "/endpoints", name: "Endpoints", icon: "endpoints" },
      { path: "/estimation", name: "Estimation", icon: "estimation" },
    ],
  },
  {
    name: "This server",
    items: [
      { path: "/playground", name: "Playground", icon: "playground" },
      { path: "/settings", name: "Settings", icon: "settings" },
    ],
  },
];
/** Pages that show a period of time. */
const timed = ["/", "/requests", "/ledger", "/estimation"];

export function Shell({
  place,
  title,
  children,
}: {
  place: Place;
  title: string;
  children: ReactNode;
}): ReactNode {
  const { session, zone } = useConsole();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(place.path);
  useEffect(() => {
    document.title = `${title} · Tollgate`;
    // A new page is told to those who do not see it: the focus goes to its start.
    if (shown.current !== place.path) {
      shown.current = place.path;
      setMenuOpen(false);
      window.scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
  }, [place.path, title]);
  const hasRange = timed.includes(place.path) || /^\/accounts\/./.test(place.path);
  return (
    <div className="shell">
      <a className="skip" href={`#${place.path}`} onClick={(event) => skip(event, main.current)}>
        Skip to the page
      </a>
      <nav className="nav" aria-label="Pages" data-closed={!isMenuOpen}>
        <div className="brand">
          <Mark />
          Tollgate
        </div>
        {groups.map((group) => (
          <NavGroup key={group.name ?? ""} {...group} place={place} />
        ))}
        <div className="nav-foot">
          <div>
            {session.actor} · {session.role}
          </div>
          <div>Tollgate {session.version}</div>
        </div>
      </nav>
      <header className="top">
        <span className="menu-button">
          <Button
            kind="quiet"
            icon="menu"
            onClick={() => setMenuOpen(!isMenuOpen)}
            label="Pages"
            isPressed={isMenuOpen}
          >
            Menu
          </Button>
        </span>
        {hasRange ? <RangePicker place={place} /> : null}
        <span
          className="zone"
          title="The reporting time zone of this installation (time_zone in the configuration)"
        >
          Times in {zone}
        </span>
        <span className="spacer" />
        {session.is_demo ? (
          <span className="pill" title="A simulated vendor; nothing here is real money">
            DEMO
          </span>
        ) : null}
        <ThemeSwitch />
        <LogoutButton />
      </header>
      <main className="main" ref={main} tabIndex={-1} id="main">
        {children}
      </main>
    </div>
  );
}

function skip(event: { preventDefault(): void }, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}

function NavGroup({
  name,
  items,
  place,
}: {
  name: string | null;
  items: readonly NavItem[];
  place: Place;
}): ReactNode {
  const { range, from, to } = place.params;
  return (
    <>
      {name === null ? null : <p className="nav-group">{name}</p>}
      {items.map((item) => (
        <a
          key={item.path}
          className="nav-link"
          href={addressOf(item.path, timed.includes(item.path) ? { range, from, to } : {})}
          aria-current={isCurrent(item.path, place.path) ? "page" : undefined}
        >
          <Icon name={item.icon} />
          {item.name}
        </a>
      ))}
    </>
  );
}

const isCurrent = (item: string, path: string): boolean =>
  item === path || (item !== "/" && path.startsWith(`${item}/`));

const themeIcons = { system: "screen", light: "sun", dark: "moon" } as const;

function ThemeSwitch(): ReactNode {
  const [theme, choose] = useTheme();
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
  return (
    <button
      type="button"
      className="copy theme"
      aria-label={`Theme: ${theme}. Change to ${next}`}
      title={`Theme: ${theme}`}
      onClick={() => choose(next)}
    >
      <Icon name={themeIcons[theme]} />
    </button>
  );
}

function LogoutButton(): ReactNode {
  const { logout } = useConsole();
  return (
    <button type="button" className="copy theme" aria-label="Log out" title="Log out" onClick={logout}>
      <Icon name="logout" />
    </button>
  );
}
