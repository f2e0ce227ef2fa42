import { type Ports, type SettleOperation, type StoredResult } from "../ports.ts";
import { dataEvent } from "../protocol/sse.ts";
import { admit } from "./admit.ts";
import type { CoolDowns } from "./cool-downs.ts";
import { refusal } from "./refusals.ts";
import { type Outcome, relay } from "./relay.ts";
import { observeEnd, type RequestTimes, settlementOf } from "./settle.ts";
import type { Admitted, AnswerHead, ApiRequest, Client, GatewaySettings } from "./types.ts";

/** How long the end of an answer waits for its charge to be committed, ms. The settlement itself goes on after that. */
const settlePatienceMs = 15_000;

/** One gateway process: what outlives a request. */
export interface Gateway {
  readonly settings: GatewaySettings;
  readonly coolDowns: CoolDowns;
}

/**
 * One request, from admission to the ledger: hold → vendor → settlement → the answer's last bytes. Runs to its end even
 * when the client leaves. Never throws for what can be expected; a bug leaves the hold open, and recovery takes it up.
 */
export async function serveRequest(ports: Ports, gateway: Gateway, call: { id: string; request: ApiRequest; client: Client }): Promise<void> {
  const { id, request, client } = call;
  const admission = await admit(ports, { settings: gateway.settings, coolDowns: gateway.coolDowns, id }, request);
  if (admission.ok === "replay") return replay(ports, call);
  if (!admission.ok) {
    ports.observe({ event: "request_refused", requestId: id, code: admission.refusal.code, status: 0 });
    return client.refuse(admission.refusal);
  }
  const { admitted } = admission;
  const sentAt = ports.clock.elapsed();
  const outcome = await relay(ports, { ...gateway, admitted, client });
  const times = timesOf(ports, request, { sentAt, outcome });
  const settlement = settlementOf(admitted, outcome, times);
  const isSettled = await settleInTime(ports, settlement);
  finish(ports, { admitted, outcome, settlement, client, isSettled });
  observeEnd(ports, settlement, { status: statusOf(outcome), times });
}

function timesOf(ports: Ports, request: ApiRequest, about: { sentAt: number; outcome: Outcome }): RequestTimes {
  const now = ports.clock.elapsed();
  const { outcome } = about;
  const own = about.sentAt - request.arrivedAt + (now - outcome.vendorEndedAtMs);
  return {
    ttft_ms: outcome.firstByteAtMs === null ? null : tenths(outcome.firstByteAtMs - request.arrivedAt),
    duration_ms: tenths(now - request.arrivedAt),
    overhead_ms: tenths(own),
  };
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;
const statusOf = ({ finish }: Outcome): number => (finish.kind === "whole" ? finish.status : finish.kind === "stream_end" ? 200 : 502);

/** Commits the charge. False when that takes too long: the client is told, and the settlement goes on by itself. */
async function settleInTime(ports: Ports, settlement: SettleOperation): Promise<boolean> {
  const settled = ports.ledger.settle(settlement).then(
    () => true,
    (error: unknown) => {
      ports.observe({ event: "fault", where: "settle", error: String(error) });
      return false;
    },
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), settlePatienceMs);
  });
  const isInTime = await Promise.race([settled, late]);
  clearTimeout(timer);
  return isInTime;
}

interface Finishing {
  readonly admitted: Admitted;
  readonly outcome: Outcome;
  readonly settlement: SettleOperation;
  readonly client: Client;
  readonly isSettled: boolean;
}

/** The last bytes, after the charge is committed. Without a committed charge no answer is made to look finished. */
function finish(ports: Ports, about: Finishing): void {
  const { outcome, client, admitted, isSettled } = about;
  if (!isSettled) {
    const late = refusal(admitted.id, "ledger_unavailable", "The answer was made but its charge could not be committed in time.", { retryAfterMs: 2_000 });
    if (!client.hasBegun()) return client.refuse(late);
    client.write([dataEvent({ error: { message: late.message, type: "server_error", param: null, code: late.code } })]);
    return client.end();
  }
  const ending = outcome.finish;
  if (ending.kind === "refusal") return client.refuse(ending.refusal);
  const head = headOf(about);
  if (ending.kind === "whole") {
    remember(ports, about, { status: ending.status, headers: { "content-type": ending.contentType }, body: ending.body });
    client.begin(head);
    client.write([ending.body]);
    return client.end();
  }
  if (!client.hasBegun()) {
    if (outcome.outcome === "vendor_cut") {
      const message = "The vendor's stream broke off before it began; try again shortly.";
      return client.refuse(refusal(admitted.id, "upstream_unavailable", message, { endpoint: outcome.served.route.endpoint }));
    }
    client.begin(head);
  }
  client.write(ending.tail);
  client.end();
}

function headOf({ admitted, outcome, settlement }: Finishing): AnswerHead {
  const isWhole = outcome.finish.kind === "whole";
  return {
    status: isWhole && outcome.finish.kind === "whole" ? outcome.finish.status : 200,
    contentType: outcome.finish.kind === "whole" ? outcome.finish.contentType : "text/event-stream; charset=utf-8",
    requestId: admitted.id,
    model: outcome.modelServed ?? outcome.served.route.model,
    endpoint: outcome.served.route.endpoint,
    hold: admitted.hold,
    outputCap: admitted.isCapOurs ? admitted.cap : null,
    rewrites: outcome.rewrites,
    vendorHeaders: outcome.vendorHeaders,
    limits: admitted.limits,
    charge: isWhole ? settlement.charge : null,
    usageSource: isWhole ? settlement.source : null,
  };
}

/** Keeps the first result of an idempotent request. */
function remember(ports: Ports, about: Finishing, result: StoredResult): void {
  const { idempotency, identity } = about.admitted.request;
  if (idempotency === null) return;
  ports.ledger
    .rememberResult(identity.accountId, idempotency.key, result)
    .catch((error: unknown) => ports.observe({ event: "fault", where: "idempotency", error: String(error) }));
}

/** Sends the stored first result again; nothing is charged. */
async function replay(ports: Ports, call: { id: string; request: ApiRequest; client: Client }): Promise<void> {
  const { request, client, id } = call;
  const key = request.idempotency?.key ?? "";
  const stored = await ports.ledger.findResult(request.identity.accountId, key);
  if (stored === null) return client.refuse(refusal(id, "idempotency_in_progress", "The first result is not stored yet; try again shortly."));
  client.begin({
    status: stored.status,
    contentType: stored.headers["content-type"] ?? "application/json",
    requestId: id,
    model: null,
    endpoint: null,
    hold: null,
    outputCap: null,
    rewrites: [],
    vendorHeaders: {},
    limits: null,
    charge: null,
    usageSource: null,
  });
  client.write([stored.body]);
  client.end();
}
