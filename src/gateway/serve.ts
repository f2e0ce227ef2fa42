import type { Ports } from "../ports.ts";
import { admit } from "./admit.ts";
import { startRun } from "./background.ts";
import type { CoolDowns } from "./cool-downs.ts";
import { finish, replay } from "./finish.ts";
import type { Outcome } from "./outcome.ts";
import type { OverheadLearner } from "./overheads.ts";
import { relay } from "./relay.ts";
import { compareEstimate } from "./sampling.ts";
import { observeEnd, type RequestTimes, releaseUncalled, settlementOf } from "./settle.ts";
import { settleInTime } from "./settle-in-time.ts";
import type { Admitted, ApiRequest, Client, GatewaySettings } from "./types.ts";

/** One gateway process: what outlives a request. */
export interface Gateway {
  readonly settings: GatewaySettings;
  readonly coolDowns: CoolDowns;
  readonly overheads: OverheadLearner;
}

/** One request of a customer and the way back. */
export interface Call {
  readonly id: string;
  readonly request: ApiRequest;
  readonly client: Client;
}

/**
 * One request, from admission to the ledger: hold → vendor → settlement → the answer's last bytes. Runs to its end even
 * when the client leaves. Never throws for what can be expected; a bug leaves the hold to recovery.
 */
export async function serveRequest(ports: Ports, gateway: Gateway, call: Call): Promise<void> {
  const { id, request, client } = call;
  const admission = await admit(
    ports,
    { settings: gateway.settings, coolDowns: gateway.coolDowns, id },
    request,
  );
  if (admission.ok === "replay") return replay(ports, call);
  if (!admission.ok) {
    ports.observe({ event: "request_refused", requestId: id, code: admission.refusal.code, status: 0 });
    return client.refuse(admission.refusal);
  }
  const { admitted } = admission;
  ports.reach?.("after_hold");
  try {
    await serveAdmitted(ports, gateway, { request, client, admitted });
  } catch (error) {
    ports.ledger.abandon(id);
    throw error;
  }
}

async function serveAdmitted(
  ports: Ports,
  gateway: Gateway,
  about: { request: ApiRequest; client: Client; admitted: Admitted },
): Promise<void> {
  const { request, client, admitted } = about;
  if (client.isGone()) return leaveUncalled(ports, admitted);
  const sentAt = ports.clock.elapsed();
  const outcome = await relay(ports, { admitted, client, ...gateway });
  ports.reach?.("after_usage");
  const times = timesOf(ports, request, { sentAt, outcome });
  if (outcome.kept?.isRunning === true)
    return startRun(ports, { admitted, outcome, client, kept: outcome.kept, settings: gateway.settings });
  const settlement = settlementOf(admitted, outcome, times);
  ports.reach?.("before_settle");
  const settling = await settleInTime(ports, settlement);
  ports.reach?.("after_settle");
  await keepResponse(ports, admitted, outcome);
  await finish(ports, { admitted, outcome, settlement, settling, client, settings: gateway.settings });
  const report = (): void => observeEnd(ports, settlement, { status: statusOf(outcome), times });
  if (settling.isInTime) report();
  // A charge that never came to be is nobody's revenue: who ended the hold instead reports that.
  else void settling.late.then((isCommitted) => (isCommitted ? report() : undefined));
  if (outcome.sample !== null) void compareLater(ports, gateway, outcome.sample);
}

/** The client left before a vendor was called: nothing was made, nothing is charged. */
async function leaveUncalled(ports: Ports, admitted: Admitted): Promise<void> {
  const settlement = releaseUncalled(admitted);
  await settleInTime(ports, settlement);
  const { idempotency, identity } = admitted.request;
  if (idempotency !== null) await ports.results.forget(identity.accountId, idempotency.key);
  observeEnd(ports, settlement, {
    status: 499,
    times: { ttft_ms: null, duration_ms: null, overhead_ms: null },
  });
}

/** Notes what the vendor keeps before the client can name it. A failure costs the client the rereading, not the answer. */
async function keepResponse(ports: Ports, admitted: Admitted, outcome: Outcome): Promise<void> {
  const { kept } = outcome;
  if (kept === null) return;
  const { route } = outcome.attempts.at(-1)?.served ?? {};
  if (route === undefined) return;
  const { accountId } = admitted.request.identity;
  try {
    await ports.kept.keep({
      response: {
        id: kept.id,
        accountId,
        requestId: admitted.id,
        endpoint: route.endpoint,
        deployment: route.deployment,
        state: "ended",
      },
      parts: kept.parts,
      run: null,
    });
  } catch (error) {
    ports.observe({
      event: "fault",
      where: "kept responses",
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Statistics; nobody waits for them and no request fails with them. */
async function compareLater(
  ports: Ports,
  gateway: Gateway,
  sample: NonNullable<Outcome["sample"]>,
): Promise<void> {
  try {
    await compareEstimate(ports, gateway, sample);
  } catch (error) {
    ports.observe({
      event: "fault",
      where: "estimates",
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

function timesOf(
  ports: Ports,
  request: ApiRequest,
  about: { sentAt: number; outcome: Outcome },
): RequestTimes {
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

/** As logs and metrics show it; 499 = the client was gone. */
function statusOf({ finish: end }: Outcome): number {
  switch (end.kind) {
    case "whole":
      return end.status;
    case "stream_end":
      return 200;
    case "refusal":
      return end.refusal.vendor?.status ?? 502;
    case "nothing":
      return 499;
  }
}
