import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Outcome } from "../billing/refusals.ts";
import { credits, ownUsage, type SelfServicePorts } from "../billing/self-service.ts";
import { parseApiKey } from "../core/api-key.ts";
import { formatUsd, pico } from "../core/money.ts";
import { sha256 } from "../lib/sha256.ts";
import type { ConsoleReports, PortalGrant, PortalTokens } from "../ports-console.ts";
import { createAttempts } from "./attempts.ts";
import { presentOwnGrant, presentOwnKey, presentReceipt } from "./portal-present.ts";

export interface PortalPorts extends SelfServicePorts {
  readonly portalTokens: PortalTokens;
  readonly reports: Pick<ConsoleReports, "account">;
  readonly timeZone: string;
}

type Query = Readonly<Record<string, string | undefined>>;
type Read = (ports: PortalPorts, grant: PortalGrant, request: FastifyRequest) => Promise<unknown>;

/** A refusal of this small API. */
class PortalError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Rows of a page; a customer pages on. */
const rowsMax = 50;
const grantsMax = 100;

/**
 * What a customer's page asks: reads of one account, with a short-lived token for exactly that account. Nothing of what
 * the vendor bills, and no other account, is reachable from here.
 */
export function addPortal(scope: FastifyInstance, ports: PortalPorts): void {
  const attempts = createAttempts(() => ports.clock.elapsed());
  const get = (path: string, read: Read): void => {
    scope.get(`/portal/v1${path}`, async (request, reply) => {
      reply.header("cache-control", "no-store");
      try {
        const grant = await grantOf(ports, request);
        if (grant === null) {
          // Only who is wrong waits: behind a proxy all customers have one address, and 190 bits need no slower guesses.
          const waitMs = attempts.wait(request.ip);
          if (waitMs !== null)
            throw new PortalError(429, "too_many_attempts", "Too many wrong tokens; wait a minute.");
          attempts.failed(request.ip);
          throw new PortalError(
            401,
            "invalid_portal_token",
            "This address has expired or was never valid; ask for a new one.",
          );
        }
        return await reply.send(await read(ports, grant, request));
      } catch (error) {
        if (!(error instanceof PortalError)) throw error;
        return refuse(reply, error);
      }
    });
  };
  get("/account", readAccount);
  get("/usage", async (own, grant, request) =>
    accepted(await ownUsage(own, identityOf(grant), request.query as Query)),
  );
  get("/requests", listRequests);
  get("/requests/:id", readRequest);
  get("/keys", async ({ tables, credit }, { accountId }) => ({
    data: (await tables.keys.list(accountId, { after: null, limit: grantsMax })).map((key) =>
      presentOwnKey(key, credit),
    ),
  }));
}

async function grantOf(
  { portalTokens }: PortalPorts,
  { headers }: FastifyRequest,
): Promise<PortalGrant | null> {
  const token = /^bearer +([\x21-\x7e]{1,100})$/i.exec(headers.authorization ?? "")?.[1];
  if (token === undefined || parseApiKey(token)?.kind !== "portal") return null;
  return portalTokens.find(sha256(token));
}

/** The page speaks for the account, not for one of its keys. */
const identityOf = ({ accountId }: PortalGrant) => ({ accountId, keyId: "" });

async function readAccount(ports: PortalPorts, grant: PortalGrant): Promise<unknown> {
  const { tables, credit, creditName, timeZone } = ports;
  await tables.grants.expire([grant.accountId]);
  const [report, totals, grants] = await Promise.all([
    ports.reports.account(grant.accountId),
    credits(ports, identityOf(grant)),
    tables.grants.list(grant.accountId, { after: null, limit: grantsMax }),
  ]);
  if (report === null) throw new Error(`Bug: a portal token's account ${grant.accountId} cannot be found`);
  const { data: _, credit: __, ...sums } = accepted(totals) as Record<string, unknown>;
  return {
    name: report.name,
    status: report.status,
    ...sums,
    hours_left: report.hoursLeft,
    grants: grants.map((one) => presentOwnGrant(one, credit)),
    credit: { name: creditName, usd: formatUsd(pico(credit.picoPerCredit)) },
    time_zone: timeZone,
    expires_at: grant.expiresAt,
  };
}

async function listRequests(
  { tables, credit }: PortalPorts,
  { accountId }: PortalGrant,
  request: FastifyRequest,
): Promise<unknown> {
  const { cursor } = request.query as Query;
  if (cursor !== undefined && !/^[A-Za-z0-9_-]{1,200}$/.test(cursor))
    throw new PortalError(
      400,
      "invalid_cursor",
      "Cannot go on from this cursor; send `next_cursor` as it was.",
    );
  const filter = {
    ...{
      accountId,
      keyId: null,
      model: null,
      endpoint: null,
      status: null,
      source: null,
      from: null,
      to: null,
    },
  };
  const rows = await tables.requests.list(filter, { after: cursor ?? null, limit: rowsMax + 1 });
  const shown = rows.slice(0, rowsMax);
  return {
    data: shown.map((row) => presentReceipt(row, credit)),
    next_cursor: rows.length > rowsMax ? (shown.at(-1)?.id ?? null) : null,
  };
}

async function readRequest(
  { tables, credit }: PortalPorts,
  { accountId }: PortalGrant,
  request: FastifyRequest,
): Promise<unknown> {
  const { id } = request.params as { id: string };
  const row = await tables.requests.find(id);
  // Another account's request is answered like one that does not exist.
  if (row === null || row.accountId !== accountId)
    throw new PortalError(
      404,
      "request_not_found",
      "Cannot find this request: this account made none with this id.",
    );
  return presentReceipt(row, credit);
}

function accepted<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new PortalError(400, outcome.refusal.code, outcome.refusal.message);
}

const refuse = (reply: FastifyReply, { status, code, message }: PortalError): FastifyReply =>
  reply.code(status).send({ error: { message, type: "invalid_request_error", param: null, code } });
