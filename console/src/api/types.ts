/** Types of the admin API, from the schemas that check it on the server. Nothing of them is in the bundle. */
import type { Static } from "typebox";
import type * as accounts from "../../../src/admin/schemas/accounts.ts";
import type * as estimation from "../../../src/admin/schemas/estimation.ts";
import type * as grants from "../../../src/admin/schemas/grants.ts";
import type * as keys from "../../../src/admin/schemas/keys.ts";
import type * as ledger from "../../../src/admin/schemas/ledger.ts";
import type * as operation from "../../../src/admin/schemas/operation.ts";
import type * as prices from "../../../src/admin/schemas/prices.ts";
import type * as probe from "../../../src/admin/schemas/probe.ts";
import type * as reports from "../../../src/admin/schemas/reports.ts";
import type * as requests from "../../../src/admin/schemas/requests.ts";
import type * as usage from "../../../src/admin/schemas/usage.ts";

export type Account = Static<typeof accounts.account>;
export type Grant = Static<typeof grants.grant>;
export type Key = Static<typeof keys.key>;
export type KeyMade = Static<typeof keys.keyMade>;
export type Entry = Static<typeof ledger.entry>;
export type Verification = Static<typeof ledger.verification>;
export type Endpoint = Static<typeof operation.endpoint>;
export type AuditRecord = Static<typeof operation.auditRecord>;
export type Price = Static<typeof prices.price>;
export type RequestRecord = Static<typeof requests.request>;
export type RequestDetail = Static<typeof requests.requestDetail>;
export type RequestNews = Static<typeof requests.requestNews>;
export type UsageBucket = Static<typeof usage.usageBucket>;
export type UsageTotals = Static<typeof usage.usageTotals>;

export interface List<Item> {
  readonly data: readonly Item[];
  readonly next_cursor: string | null;
}

/** `GET /console/session`. */
export interface Session {
  readonly actor: string;
  readonly role: "owner" | "operator" | "finance" | "viewer";
  readonly version: string;
  readonly is_demo: boolean;
  readonly time_zone: string;
  readonly credit: { readonly name: string; readonly usd: string };
}

export type Overview = Static<typeof reports.overview>;
export type AccountReport = Static<typeof reports.accountReport>;
export type Traffic = Static<typeof reports.traffic>;
export type ListedKey = Static<typeof reports.listedKey>;
export type ServedModel = Static<typeof reports.servedModel>;
export type UnpricedModel = Static<typeof reports.unpricedModel>;
export type Settings = Static<typeof reports.settings>;
export type PortalMade = Static<typeof reports.portalMade>;
export interface UsageList extends List<UsageBucket> {
  readonly totals: UsageTotals;
}
export type ProbePlan = Static<typeof reports.probePlan>;
export type ProbeReport = Static<typeof probe.probeReport>;
export type AdminToken = Static<typeof operation.token>;
export type AdminTokenMade = Static<typeof operation.tokenMade>;
export type Estimation = Static<typeof estimation.estimation>;
export type Leak = Static<typeof estimation.leak>;
export type UsageSample = Static<typeof estimation.usageSample>;
