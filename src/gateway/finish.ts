import { formatCredits } from "../core/money.ts";
import type { Ports, SettleOperation, StoredResult } from "../ports.ts";
import { dataEvent } from "../protocol/sse.ts";
import type { Outcome } from "./outcome.ts";
import { refusal } from "./refusals.ts";
import type { Call } from "./serve.ts";
import type { Settling } from "./settle-in-time.ts";
import { type ShownCost, withCost } from "./stream-edits.ts";
import type { Admitted, AnswerHead, Client, GatewaySettings, Refusal } from "./types.ts";

/** Answers up to this size are kept to be replayed, bytes. */
const maxResultBytes = 8 * 1024 * 1024;

export interface Finishing {
  readonly admitted: Admitted;
  readonly outcome: Outcome;
  readonly settlement: SettleOperation;
  readonly settling: Settling;
  readonly client: Client;
  readonly settings: GatewaySettings;
}

/**
 * The last bytes, after the charge is committed and the result is kept for a repetition. Without a committed charge no
 * answer is made to look finished.
 */
export async function finish(ports: Ports, about: Finishing): Promise<void> {
  const ending = endingOf(about);
  if (!about.settling.isInTime) {
    void about.settling.late.then((isSettled) => (isSettled ? remember(ports, about, ending) : undefined));
    return finishLate(about);
  }
  await remember(ports, about, ending);
  send(about, ending);
}

/** What is sent, worked out once: the same bytes go to the client and into the store. */
type Ending =
  | { readonly kind: "refusal"; readonly refusal: Refusal }
  | { readonly kind: "nothing" }
  | {
      readonly kind: "body";
      readonly head: AnswerHead;
      readonly last: readonly Uint8Array[];
      readonly before: readonly Uint8Array[] | null;
    };

function endingOf(about: Finishing): Ending {
  const { outcome, client, admitted } = about;
  const end = outcome.finish;
  if (end.kind === "refusal" || end.kind === "nothing") return end;
  const cost = costOf(about);
  const shown = (bytes: Uint8Array): Uint8Array => (cost === null ? bytes : withCost(bytes, cost));
  if (end.kind === "whole")
    return { kind: "body", head: headOf(about, end), last: [shown(end.body)], before: [] };
  const wasCut = outcome.outcome === "vendor_cut";
  if (wasCut && !client.hasBegun()) {
    const message = "The vendor's stream broke off before it began; try again shortly.";
    const called = { endpoint: about.settlement.endpoint, hold: admitted.hold };
    return { kind: "refusal", refusal: refusal(admitted.id, "upstream_unavailable", message, called) };
  }
  const contentType = end.transcript?.contentType ?? "text/event-stream; charset=utf-8";
  const last = end.tail.map((event) => (event.isUsage ? shown(event.bytes) : event.bytes));
  return {
    kind: "body",
    head: headOf(about, { status: 200, contentType }),
    last,
    before: end.transcript === null ? [] : end.transcript.chunks,
  };
}

function send(about: Finishing, ending: Ending): void {
  const { client } = about;
  if (ending.kind === "refusal") {
    client.refuse(ending.refusal);
    return;
  }
  if (ending.kind === "body") {
    if (!client.hasBegun()) client.begin(ending.head);
    client.write(ending.last);
  }
  client.end();
}

function finishLate({ admitted, client }: Finishing): void {
  const late = refusal(
    admitted.id,
    "ledger_unavailable",
    "The answer was made but its charge could not be committed in time.",
    { retryAfterMs: 2_000 },
  );
  if (!client.hasBegun()) {
    client.refuse(late);
    return;
  }
  client.write([
    dataEvent({ error: { message: late.message, type: "server_error", param: null, code: late.code } }),
  ]);
  client.end();
}

function headOf(
  { admitted, outcome, settlement }: Finishing,
  answer: { status: number; contentType: string },
): AnswerHead {
  const isWhole = outcome.finish.kind === "whole";
  return {
    status: answer.status,
    contentType: answer.contentType,
    requestId: admitted.id,
    model: outcome.modelServed ?? outcome.attempts.at(-1)?.served.route.model ?? null,
    endpoint: settlement.endpoint,
    hold: admitted.hold,
    outputCap: admitted.isCapOurs ? outcome.cap : null,
    rewrites: outcome.rewrites,
    vendorHeaders: outcome.vendorHeaders,
    limits: admitted.limits,
    charge: isWhole ? settlement.charge : null,
    usageSource: isWhole ? settlement.source : null,
    replayed: null,
  };
}

/** The charge as keys that asked for it see it in the usage object. */
function costOf({ admitted, settlement, settings }: Finishing): ShownCost | null {
  if (admitted.request.identity.settings.usageCost !== true) return null;
  return {
    amount: formatCredits(settlement.charge, settings.credit),
    currency: settings.creditName,
    status: settlement.source === "vendor" ? "exact" : "estimated",
  };
}

/**
 * Keeps the first result of an idempotent request. A failure that cost nothing frees the key: the next one runs anew.
 * A result that cannot be kept does not keep the answer from its client; recovery says so to a repetition.
 */
async function remember(ports: Ports, about: Finishing, ending: Ending): Promise<void> {
  const { idempotency, identity } = about.admitted.request;
  if (idempotency === null) return;
  try {
    const result = resultOf(about, ending);
    if (result === null) await ports.results.forget(identity.accountId, idempotency.key);
    else await ports.ledger.rememberResult(identity.accountId, idempotency.key, result);
  } catch (error) {
    ports.observe({
      event: "fault",
      where: "idempotency",
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

function resultOf({ admitted, settlement, client }: Finishing, ending: Ending): StoredResult | null {
  const isFree = settlement.charge === 0n;
  if (ending.kind === "nothing")
    return isFree ? null : client.render(notKept(admitted.id, "the client left before there was one"));
  if (ending.kind === "refusal") {
    // The vendor's word about this very request would be the same again; anything else may pass.
    const { vendor } = ending.refusal;
    const isFinal = vendor !== null && vendor.status < 500 && vendor.status !== 429 && vendor.status !== 408;
    return isFinal || !isFree ? client.render(ending.refusal) : null;
  }
  const all = ending.before === null ? null : Buffer.concat([...ending.before, ...ending.last]);
  if (all === null || all.length > maxResultBytes)
    return client.render(notKept(admitted.id, `it exceeds ${maxResultBytes} bytes`));
  return {
    status: ending.head.status,
    headers: { "content-type": ending.head.contentType, "x-request-id": admitted.id },
    body: all,
  };
}

const notKept = (requestId: string, why: string): Refusal =>
  refusal(
    requestId,
    "idempotency_result_not_kept",
    `The first request with this Idempotency-Key ran and was charged, but its answer was not kept: ${why}; use a new key to run it again.`,
  );

/** Sends the stored first result again; nothing is charged. */
export async function replay(ports: Ports, call: Call): Promise<void> {
  const { request, client, id } = call;
  const stored =
    request.idempotency === null
      ? null
      : await ports.ledger.findResult(request.identity.accountId, request.idempotency.key);
  if (stored === null)
    return client.refuse(
      refusal(id, "idempotency_in_progress", "The first result is not stored yet; try again shortly."),
    );
  client.begin({
    status: stored.status,
    contentType: stored.headers["content-type"] ?? "application/json",
    requestId: stored.headers["x-request-id"] ?? id,
    model: null,
    endpoint: null,
    hold: null,
    outputCap: null,
    rewrites: [],
    vendorHeaders: {},
    limits: null,
    charge: null,
    usageSource: null,
    replayed: stored.headers,
  });
  client.write([stored.body]);
  client.end();
}
