import Type, { type Static, type TObject, type TProperties, type TSchema } from "typebox";
import type { Desk } from "../billing/desk.ts";
import type { ModelRoute } from "../core/routing.ts";
import type { AdminStore, AdminTables, PriceDesk, Role } from "../ports-admin.ts";
import type { ConsoleLogins, ConsoleReports, Person } from "../ports-console.ts";
import type { Endpoints, Page, ProbeEndpoint } from "../ports-reports.ts";
import type { ProbeReport } from "../probe/report-schema.ts";
import type { AdminError } from "./errors.ts";
import type { IntegrityWatch } from "./integrity.ts";
import type { Tail } from "./tail.ts";

/** Everything that routes reach beside the change they make. */
export interface RoutePorts {
  readonly store: AdminStore;
  readonly prices: PriceDesk;
  readonly endpoints: Endpoints;
  readonly probeEndpoint: ProbeEndpoint<ProbeReport>;
  /** How old an open hold of a dead process may be before `ledger verify` calls it bad, ms. */
  readonly recoveryMs: number;
  readonly creditName: string;
  readonly tail: Tail;
  readonly reports: ConsoleReports;
  readonly integrity: IntegrityWatch;
  /** The models that clients may name, with their deployments. */
  readonly routes: () => readonly ModelRoute[];
  readonly settings: () => EffectiveSettings;
  /** Of Tollgate. */
  readonly version: string;
  /** Path of a one-time login to the console, relative to the server. */
  readonly createLoginPath: (logins: ConsoleLogins, person: Person) => Promise<string>;
}

/** The configuration in force, secrets hidden, with the origin of each value. */
export interface EffectiveSettings {
  readonly file: string | null;
  readonly store: "postgres" | "pglite";
  readonly values: ReadonlyArray<{ readonly path: string; readonly value: unknown; readonly origin: string }>;
}

/** Who is asking. */
export type Actor = Person;

/** One request to a route, checked. In a write, `desk.tables` and everything else there belong to its transaction. */
export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly actor: Actor;
  readonly desk: Desk;
  readonly ports: RoutePorts;
}

/** What people may write where the schema's type is plain: nothing in an answer is changed any more. */
type Frozen<T> = T extends readonly (infer One)[]
  ? readonly Frozen<One>[]
  : T extends object
    ? { readonly [Field in keyof T]: Frozen<T[Field]> }
    : T;

type Of<S> = S extends TSchema ? Static<S> : Record<string, never>;

interface About {
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  /** The least role that may; see `roles.ts`. */
  readonly role: Role;
}

export interface ReadRoute extends About {
  readonly kind: "read";
  readonly method: "GET";
  readonly params: TSchema | null;
  readonly query: TSchema;
  readonly answer: TSchema;
  run(call: Call<unknown, unknown, unknown>): Promise<unknown>;
}
export interface ListRoute extends About {
  readonly kind: "list";
  readonly method: "GET";
  readonly params: TSchema | null;
  readonly query: TObject;
  /** Of one row. */
  readonly item: TObject;
  /** Fields of the answer beside `data` and `next_cursor`. */
  readonly extra: TObject | null;
  readonly limits: { readonly usual: number; readonly most: number };
  page(call: Call<unknown, unknown, unknown>, page: Page): Promise<readonly Row[]>;
  about?: (call: Call<unknown, unknown, unknown>) => Promise<Readonly<Record<string, unknown>>>;
}
export interface WriteRoute extends About {
  readonly kind: "write";
  readonly method: "POST" | "PATCH" | "DELETE";
  readonly params: TSchema | null;
  readonly body: TSchema | null;
  readonly answer: TSchema;
  /** The answer has a secret: stored for a repeat it is sealed with the caller's token. */
  readonly isSecret: boolean;
  run(call: Call<unknown, unknown, unknown>): Promise<Written<unknown>>;
  /** Runs once the transaction is committed. */
  after?: (ports: RoutePorts) => Promise<void>;
}
/**
 * A POST that takes seconds, and so runs outside a database transaction. What it did is recorded in one, together with its
 * answer under the idempotency key.
 */
export interface ActionRoute extends About {
  readonly kind: "action";
  readonly method: "POST";
  readonly params: TSchema | null;
  readonly body: TSchema;
  readonly answer: TSchema;
  /** Rejects when nothing was done; what was done and failed is an outcome. The signal asks for an early end. */
  run(call: Call<unknown, unknown, unknown>, signal: AbortSignal): Promise<Acted<unknown>>;
}
export interface Acted<T> {
  readonly outcome:
    | { readonly ok: true; readonly answer: Written<T> }
    | { readonly ok: false; readonly error: AdminError };
  /** Writes down what was done, on a desk of its own transaction. */
  record(desk: Desk): Promise<void>;
}
/** A route that goes on answering, with server-sent events, until its reader leaves. */
export interface StreamRoute extends About {
  readonly kind: "stream";
  readonly method: "GET";
  readonly params: null;
  readonly query: TSchema;
  /** Of the JSON in each event's data. */
  readonly event: TSchema;
  /** Starts; gives what stops it. */
  start(call: Call<unknown, unknown, unknown>, send: (event: unknown) => void): () => void;
}
export type AdminRoute = ReadRoute | ListRoute | WriteRoute | ActionRoute | StreamRoute;

/** Whether a route is asked by a body; the others are asked by a query. */
export const takesBody = (route: AdminRoute): route is WriteRoute | ActionRoute =>
  route.kind === "write" || route.kind === "action";

/** A row of a list, and the cursor that goes on after it. */
export interface Row {
  readonly value: Readonly<Record<string, unknown>>;
  readonly cursor: string;
}
export interface Written<T> {
  readonly status: 200 | 201;
  readonly body: T;
}

const strict = { additionalProperties: false };
const noQuery = Type.Object({}, strict);

/** A route that gives one thing. */
export function read<
  Params extends TSchema | null,
  Answer extends TSchema,
  Query extends TSchema = typeof noQuery,
>(
  about: About & { readonly params: Params; readonly answer: Answer; readonly query?: Query },
  run: (call: Call<Of<Params>, Static<Query>, unknown>) => Promise<Frozen<Static<Answer>>>,
): ReadRoute {
  return {
    ...about,
    kind: "read",
    method: "GET",
    query: about.query ?? noQuery,
    run: run as ReadRoute["run"],
  };
}

/** A route that gives a list, page by page, as JSON or CSV. */
export function list<Params extends TSchema | null, Query extends TProperties, Item extends TObject>(
  about: About & {
    readonly params: Params;
    readonly query: Query;
    readonly item: Item;
    readonly limits?: ListRoute["limits"];
    readonly extra?: {
      readonly schema: TObject;
      readonly get: (call: Call<Of<Params>, Static<TObject<Query>>, unknown>) => Promise<object>;
    };
  },
  page: (
    call: Call<Of<Params>, Static<TObject<Query>>, unknown>,
    page: Page,
  ) => Promise<ReadonlyArray<{ readonly value: Frozen<Static<Item>>; readonly cursor: string }>>,
): ListRoute {
  const limits = about.limits ?? { usual: 50, most: 500 };
  const { params, path, tag, summary, role, item, extra } = about;
  return {
    ...{ params, path, tag, summary, role, item, limits },
    kind: "list",
    method: "GET",
    query: Type.Object(
      {
        ...about.query,
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: limits.most,
            description: `Rows of a page, 1 to ${limits.most}; ${limits.usual} unless given. CSV has every row unless given.`,
          }),
        ),
        cursor: Type.Optional(
          Type.String({ maxLength: 1_000, description: "`next_cursor` of the page before." }),
        ),
        format: Type.Optional(
          Type.Enum(["json", "csv"], { type: "string", description: "Instead of an `Accept` header." }),
        ),
      },
      strict,
    ),
    extra: extra?.schema ?? null,
    page: page as ListRoute["page"],
    ...(extra === undefined ? {} : { about: extra.get as NonNullable<ListRoute["about"]> }),
  };
}

/** A route that tells what happens as it happens. */
export function stream<Event extends TSchema>(
  about: About & { readonly event: Event },
  start: (call: Call<unknown, unknown, unknown>, send: (event: Frozen<Static<Event>>) => void) => () => void,
): StreamRoute {
  return { ...about, kind: "stream", method: "GET", params: null, query: noQuery, start };
}

/** A route that changes something, in one transaction with its audit record and its idempotency key. */
export function write<Params extends TSchema | null, Body extends TSchema | null, Answer extends TSchema>(
  about: About & {
    readonly method: WriteRoute["method"];
    readonly params: Params;
    readonly body: Body;
    readonly answer: Answer;
    readonly isSecret?: boolean;
    readonly after?: (ports: RoutePorts) => Promise<void>;
  },
  run: (call: Call<Of<Params>, unknown, Of<Body>>) => Promise<Written<Frozen<Static<Answer>>>>,
): WriteRoute {
  return { ...about, kind: "write", isSecret: about.isSecret ?? false, run: run as WriteRoute["run"] };
}

/** A route that does something beyond the database, which takes a while. */
export function action<Params extends TSchema | null, Body extends TSchema, Answer extends TSchema>(
  about: About & { readonly params: Params; readonly body: Body; readonly answer: Answer },
  run: (
    call: Call<Of<Params>, unknown, Static<Body>>,
    signal: AbortSignal,
  ) => Promise<Acted<Frozen<Static<Answer>>>>,
): ActionRoute {
  return { ...about, kind: "action", method: "POST", run: run as ActionRoute["run"] };
}

/** Rows whose id is their cursor. */
export const byId = <T extends { readonly id: string }>(
  values: readonly T[],
): ReadonlyArray<{ readonly value: T; readonly cursor: string }> =>
  values.map((value) => ({ value, cursor: value.id }));

export type { AdminTables };
