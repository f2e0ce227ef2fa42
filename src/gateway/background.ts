import { encodingFor } from "../core/tokens/encodings.ts";
import { type MeterReading, nothingBilled, noUsage, usageFault } from "../core/usage.ts";
import { type DueRun, type OrphanedHold, type Ports, type RunTerms, VendorFault } from "../ports.ts";
import { AnswerMeter } from "../protocol/answer-meter.ts";
import { asObject, asText } from "../protocol/usage.ts";
import type { answeredBy } from "./answered.ts";
import { countInput } from "./estimate.ts";
import { readText } from "./failures.ts";
import { heldRow, type Known, knownOf, settlementOfHeld } from "./held.ts";
import type { Kept, Outcome } from "./outcome.ts";
import { overheadOf, shapeOf } from "./overheads.ts";
import { observeEnd } from "./settle.ts";
import type { Admitted, Client, GatewaySettings } from "./types.ts";

/** A run that was just begun is looked at after this long, then ever more rarely, ms. */
const firstLookMs = 1_000;
/** A vendor drops a run long before this; what has not ended by then is settled by an estimate, ms. */
const maxRunMs = 48 * 3_600_000;
const maxPerLook = 20;
/** A vendor that does not find a run is believed from this age on, ms. */
const trustAfterMs = 60_000;

/**
 * A background run has begun at the vendor. Its hold stays open; the run is noted where every process finds it, and only
 * then does the client get its id. Whoever looks when it has ended settles it.
 */
export async function startRun(
  ports: Ports,
  about: { admitted: Admitted; outcome: Outcome; client: Client; kept: Kept; settings: GatewaySettings },
): Promise<void> {
  const { admitted, outcome, client, kept } = about;
  const { facts, identity, idempotency } = admitted.request;
  const attempt = outcome.attempts.at(-1);
  if (attempt === undefined) throw new Error("Bug: a run without an attempt");
  const { route } = attempt.served;
  const overhead = overheadOf(ports.catalog.lessons(route.endpoint, route.deployment), shapeOf(facts));
  const input = await countInput(ports.tokens, facts, { model: route.model, overhead });
  const terms: RunTerms = {
    inputTokens: input.tokens,
    isInputExact: input.isExactInPractice,
    cap: outcome.cap,
    rewrites: outcome.rewrites,
    attempts: [
      {
        endpoint: route.endpoint,
        deployment: route.deployment,
        status: attempt.status,
        vendor_request_id: attempt.vendorRequestId,
        started_at: attempt.startedAt,
        ended_at: attempt.endedAt,
      },
    ],
  };
  const response = {
    id: kept.id,
    accountId: identity.accountId,
    requestId: admitted.id,
    endpoint: route.endpoint,
    deployment: route.deployment,
    state: "running",
  } as const;
  await ports.kept.keep({ response, parts: kept.parts, run: { terms, dueMs: firstLookMs } });
  const { finish } = outcome;
  if (finish.kind === "whole") {
    if (idempotency !== null) {
      const headers = { "content-type": finish.contentType, "x-request-id": admitted.id };
      await ports.ledger.rememberResult(identity.accountId, idempotency.key, {
        status: finish.status,
        headers,
        body: finish.body,
      });
    }
    client.begin(headOfRun(about, finish));
    client.write([finish.body]);
  } else if (finish.kind === "stream_end") {
    if (!client.hasBegun())
      client.begin(headOfRun(about, { status: 200, contentType: "text/event-stream; charset=utf-8" }));
    client.write(finish.tail.map((event) => event.bytes));
  }
  client.end();
}

function headOfRun(
  about: { admitted: Admitted; outcome: Outcome },
  answer: { status: number; contentType: string },
): ReturnType<typeof answeredBy> {
  const { admitted, outcome } = about;
  return {
    status: answer.status,
    contentType: answer.contentType,
    requestId: admitted.id,
    model: outcome.modelServed,
    endpoint: outcome.attempts.at(-1)?.served.route.endpoint ?? null,
    hold: admitted.hold,
    outputCap: admitted.isCapOurs ? outcome.cap : null,
    rewrites: outcome.rewrites,
    vendorHeaders: outcome.vendorHeaders,
    limits: admitted.limits,
    charge: null,
    usageSource: null,
    replayed: null,
  };
}

export type BackgroundPorts = Pick<
  Ports,
  "ledger" | "kept" | "catalog" | "vendor" | "tokens" | "observe" | "clock"
>;

/** Looks at the runs that are due, and settles those that have ended. Returns how many it settled. */
export async function lookAtRuns(ports: BackgroundPorts): Promise<number> {
  const due = await ports.kept.claimDue(maxPerLook);
  const settled = await Promise.all(
    due.map(async (run) => {
      try {
        return await lookAtRun(ports, run);
      } catch (error) {
        // It is due again soon: the run is in the store.
        ports.observe({
          event: "fault",
          where: "background",
          error: error instanceof Error ? error.message : String(error),
        });
        return false;
      }
    }),
  );
  return settled.filter(Boolean).length;
}

async function lookAtRun(ports: BackgroundPorts, run: DueRun): Promise<boolean> {
  const { response, hold } = run;
  if (hold === null) {
    await ports.kept.end(response.accountId, response.id, []);
    return false;
  }
  const answer = await fetchResponse(ports, run, hold);
  if (answer === "unreachable" && run.ageMs < maxRunMs) return false;
  return settleRun(ports, run, answer === "unreachable" ? null : answer);
}

/** The response object as the vendor has it now; null when it has it no more. */
async function fetchResponse(
  ports: BackgroundPorts,
  run: DueRun,
  hold: OrphanedHold,
): Promise<Readonly<Record<string, unknown>> | null | "unreachable"> {
  const { response } = run;
  const route = ports.catalog.findDeployment(response.endpoint, response.deployment);
  if (route === null) return "unreachable";
  try {
    const call = {
      deployment: route,
      operation: `responses/${encodeURIComponent(response.id)}`,
      method: "GET",
      body: null,
      requestId: hold.id,
    } as const;
    const answer = await ports.vendor.call({ ...call, signal: AbortSignal.timeout(30_000) });
    const text = await readText(answer, 64 * 1024 * 1024);
    // One that was just begun may not be found yet.
    if (answer.status === 404) return run.ageMs < trustAfterMs ? "unreachable" : null;
    return answer.status === 200 ? asObject(JSON.parse(text)) : "unreachable";
  } catch (error) {
    if (error instanceof VendorFault || error instanceof SyntaxError) return "unreachable";
    throw error;
  }
}

/**
 * Settles a run by the response object that the vendor shows for it, if it has ended. A cancelled run shows no usage: its
 * input and the text it has are an estimate, a lower bound. True when it is settled now.
 */
export async function settleRun(
  ports: BackgroundPorts,
  run: DueRun,
  json: Readonly<Record<string, unknown>> | null,
): Promise<boolean> {
  const { response, hold } = run;
  if (hold === null) return false;
  const meter = new AnswerMeter();
  if (json !== null) meter.message(json);
  const isRunning = meter.status === "queued" || meter.status === "in_progress";
  if (json !== null && isRunning && run.ageMs < maxRunMs) return false;
  const known: Known = { ...knownOf(hold), model_served: meter.model, service_tier: meter.serviceTier };
  const row = heldRow(known, ports.catalog.prices(), hold.createdAt);
  const reading = await readingOf(ports, run, { meter, known, limits: row });
  const parts = meter
    .outputItems()
    .flatMap((item) => [asText(item["id"]), asText(item["container_id"])].filter((part) => part !== null));
  const outcome =
    meter.status === "cancelled"
      ? "client_left"
      : meter.status === "completed" || meter.status === "incomplete"
        ? "complete"
        : "vendor_error";
  const { terms } = run;
  const record = {
    attempts: terms.attempts,
    rewrites: terms.rewrites,
    output_cap: terms.cap,
    duration_ms: run.ageMs,
  };
  const settlement = settlementOfHeld(hold, { row, known, reading, outcome, record });
  const settled = await ports.ledger.settle(settlement);
  await ports.kept.end(response.accountId, response.id, parts);
  if (settled.code !== "done") return false;
  observeEnd(ports, settlement, {
    status: 200,
    times: { ttft_ms: null, duration_ms: run.ageMs, overhead_ms: null },
  });
  return true;
}

async function readingOf(
  ports: BackgroundPorts,
  run: DueRun,
  seen: { meter: AnswerMeter; known: Known; limits: Parameters<typeof usageFault>[1] | null },
): Promise<MeterReading> {
  const { meter } = seen;
  const usage = meter.usage();
  const fault =
    usage === null
      ? meter.unreadable
      : usageFault(usage, seen.limits ?? { contextWindow: null, maxOutputTokens: null });
  if (fault !== null)
    ports.observe({
      event: "usage_rejected",
      requestId: run.response.requestId,
      endpoint: run.response.endpoint,
      reason: fault,
    });
  if (usage !== null && fault === null)
    return { usage, fees: meter.fees, source: "vendor", method: null, bound: null, reason: null };
  // A run that failed without output and without usage costs nothing (dialect §5.1).
  if (meter.status === "failed" && fault === null && !meter.hasOutput()) return nothingBilled;
  const model = asText(seen.known["model"]) ?? "";
  const output = await ports.tokens.countAll([meter.output().text], encodingFor(model).encoding);
  const input = run.terms.inputTokens;
  return {
    usage: { ...noUsage, input, output: output.tokens, total: input + output.tokens },
    fees: meter.fees,
    source: "estimated",
    method: "tokenizer",
    bound: "lower_bound",
    reason: meter.status === "cancelled" ? "client_left" : "vendor_error",
  };
}
