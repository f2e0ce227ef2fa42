import { type ReactNode, useCallback, useEffect, useState } from "react";
import type { ApiError } from "../api/client.ts";
import type { Loaded } from "../api/use-query.ts";
import { addressOf } from "../lib/router.ts";
import { formatAgo, formatTime, type TimeForm } from "../lib/time.ts";
import { useZone } from "../lib/zone.ts";
import { Icon, type IconName } from "./icon.tsx";

type Params = Readonly<Record<string, string | null | undefined>>;

export function Link({
  to,
  params,
  children,
  className,
}: {
  to: string;
  params?: Params;
  children: ReactNode;
  className?: string;
}): ReactNode {
  return (
    <a href={addressOf(to, params)} className={className}>
      {children}
    </a>
  );
}

interface ButtonProps {
  readonly children: ReactNode;
  readonly onClick?: () => void;
  readonly kind?: "primary" | "plain" | "danger" | "quiet";
  readonly type?: "button" | "submit";
  readonly icon?: IconName;
  readonly isDisabled?: boolean;
  readonly label?: string;
  readonly isPressed?: boolean;
}

export function Button({
  children,
  onClick,
  kind = "plain",
  type = "button",
  icon,
  isDisabled,
  label,
  isPressed,
}: ButtonProps): ReactNode {
  return (
    <button
      type={type}
      className={`button ${kind}`}
      onClick={onClick}
      disabled={isDisabled}
      aria-label={label}
      aria-pressed={isPressed}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </button>
  );
}

/** Copies a text; says so for a moment. */
export function Copy({ text, what }: { text: string; what: string }): ReactNode {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = useCallback(() => void navigator.clipboard.writeText(text).then(() => setDone(true)), [text]);
  return (
    <button
      type="button"
      className="copy"
      onClick={copy}
      aria-label={isDone ? `Copied ${what}` : `Copy ${what}`}
      title={isDone ? "Copied" : `Copy ${what}`}
    >
      <Icon name={isDone ? "check" : "copy"} />
    </button>
  );
}

/** An id in full, with its copy button. */
export function Id({ id, to }: { id: string; to?: string }): ReactNode {
  return (
    <span className="id">
      {to === undefined ? (
        <code>{id}</code>
      ) : (
        <Link to={to}>
          <code>{id}</code>
        </Link>
      )}
      <Copy text={id} what={`id ${id}`} />
    </span>
  );
}

/** Ids sort by time and differ at their end: in tables the end is enough. */
export const shortId = (id: string): string =>
  id.length <= 12 ? id : `${id.slice(0, id.indexOf("_") + 1)}…${id.slice(-6)}`;

export function Time({ at, form = "minute" }: { at: string | null; form?: TimeForm | "ago" }): ReactNode {
  const zone = useZone();
  if (at === null) return <span className="muted">—</span>;
  const full = `${formatTime(at, zone, "full")} (${zone})`;
  return (
    <time dateTime={at} title={full}>
      {form === "ago" ? formatAgo(at, Date.now()) : formatTime(at, zone, form)}
    </time>
  );
}

interface CardProps {
  readonly title?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly isFlush?: boolean;
  readonly note?: ReactNode;
}

export function Card({ title, actions, children, isFlush = false, note }: CardProps): ReactNode {
  return (
    <section className={isFlush ? "card flush" : "card"}>
      {title === undefined ? null : (
        <header className="card-head">
          <div>
            <h2>{title}</h2>
            {note === undefined ? null : <p className="note">{note}</p>}
          </div>
          {actions === undefined ? null : <div className="actions">{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

export function PageHead({
  title,
  children,
  crumb,
}: {
  title: ReactNode;
  children?: ReactNode;
  crumb?: ReactNode;
}): ReactNode {
  return (
    <header className="page-head">
      <div>
        {crumb === undefined ? null : <p className="crumb">{crumb}</p>}
        <h1>{title}</h1>
      </div>
      {children === undefined ? null : <div className="actions">{children}</div>}
    </header>
  );
}

export function Tile({
  name,
  children,
  note,
  tone,
}: {
  name: string;
  children: ReactNode;
  note?: ReactNode;
  tone?: "good" | "warn" | "bad";
}): ReactNode {
  return (
    <div className={`tile ${tone ?? ""}`}>
      <dt>{name}</dt>
      <dd className="figure">{children}</dd>
      {note === undefined ? null : <dd className="note">{note}</dd>}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function Failure({ error, retry }: { error: ApiError; retry?: () => void }): ReactNode {
  return (
    <div className="failure" role="alert">
      <Icon name="warning" />
      <span>{error.message}</span>
      {retry === undefined ? null : <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

/** What a fetch gave: a placeholder, what went wrong, or its content. */
export function Answer<Value>({
  of,
  children,
}: {
  of: Loaded<Value>;
  children: (value: Value) => ReactNode;
}): ReactNode {
  if (of.error !== null && of.value === null) return <Failure error={of.error} retry={of.reload} />;
  if (of.value === null) return <div className="loading" role="status" aria-label="Loading" />;
  return (
    <div className={of.isLoading ? "stale" : undefined} aria-busy={of.isLoading}>
      {of.error === null ? null : <Failure error={of.error} retry={of.reload} />}
      {children(of.value)}
    </div>
  );
}

/** Names and values, side by side. */
export function Facts({ children }: { children: ReactNode }): ReactNode {
  return <dl className="facts">{children}</dl>;
}
export function Fact({
  name,
  children,
  isWide = false,
}: {
  name: string;
  children: ReactNode;
  isWide?: boolean;
}): ReactNode {
  return (
    <div className={isWide ? "wide" : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
