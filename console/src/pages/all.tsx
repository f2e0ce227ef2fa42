import type { ReactNode } from "react";
import { matchPath } from "../lib/router.ts";
import { Card, Empty, Link, PageHead } from "../ui/parts.tsx";
import { AccountDetailPage } from "./account-detail.tsx";
import { AccountsPage } from "./accounts.tsx";
import { EndpointsPage } from "./endpoints.tsx";
import { EstimationPage } from "./estimation.tsx";
import { KeysPage } from "./keys.tsx";
import { LedgerPage } from "./ledger.tsx";
import { OverviewPage } from "./overview.tsx";
import { PlaygroundPage } from "./playground.tsx";
import { PricesPage } from "./prices.tsx";
import { RequestDetailPage } from "./request-detail.tsx";
import { RequestsPage } from "./requests.tsx";
import { SettingsPage } from "./settings.tsx";

export interface Page {
  readonly title: string;
  readonly content: ReactNode;
}

type Values = Readonly<Record<string, string>>;
const pages: ReadonlyArray<{
  readonly pattern: string;
  readonly title: string;
  readonly show: (values: Values) => ReactNode;
}> = [
  { pattern: "/", title: "Overview", show: () => <OverviewPage /> },
  { pattern: "/requests", title: "Requests", show: () => <RequestsPage /> },
  {
    pattern: "/requests/:id",
    title: "Request",
    show: ({ id = "" }) => <RequestDetailPage key={id} id={id} />,
  },
  { pattern: "/accounts", title: "Accounts", show: () => <AccountsPage /> },
  {
    pattern: "/accounts/:id",
    title: "Account",
    show: ({ id = "" }) => <AccountDetailPage key={id} id={id} />,
  },
  { pattern: "/keys", title: "Keys", show: () => <KeysPage /> },
  { pattern: "/ledger", title: "Ledger", show: () => <LedgerPage /> },
  { pattern: "/prices", title: "Prices", show: () => <PricesPage /> },
  { pattern: "/endpoints", title: "Endpoints", show: () => <EndpointsPage /> },
  { pattern: "/estimation", title: "Estimation", show: () => <EstimationPage /> },
  { pattern: "/playground", title: "Playground", show: () => <PlaygroundPage /> },
  { pattern: "/settings", title: "Settings", show: () => <SettingsPage /> },
];

/** The page that an address names. */
export function pageFor(path: string): Page {
  for (const { pattern, title, show } of pages) {
    const values = matchPath(pattern, path);
    if (values !== null) return { title, content: show(values) };
  }
  return {
    title: "Not found",
    content: (
      <>
        <PageHead title="There is no such page" />
        <Card>
          <Empty title="Nothing is at this address">
            <Link to="/">Overview</Link>
          </Empty>
        </Card>
      </>
    ),
  };
}
