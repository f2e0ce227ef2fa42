import { type Ports, VendorFault } from "../ports.ts";
import { AnswerMeter } from "../protocol/answer-meter.ts";
import { asObject } from "../protocol/usage.ts";
import { readAnswer } from "./reading.ts";
import { refusal } from "./refusals.ts";
import { attemptOf, type Outcome, type RelayContext, type VendorCall } from "./relay.ts";

/**
 * Reads a whole answer. It is kept until the charge is committed, then sent as it came. An answer that breaks off or is
 * no JSON never reaches the client; what it may have cost is estimated.
 */
export async function readWhole(ports: Ports, context: RelayContext, call: VendorCall): Promise<Outcome> {
  const meter = new AnswerMeter();
  const collected = await collect(ports, context, call);
  const json = collected.fault === null ? parse(collected.body) : null;
  if (json !== null) meter.message(json);
  const isGood = json !== null && meter.errorMessage === null;
  const isGivenUp = call.abort.signal.aborted;
  const read = await readAnswer(ports, meter, {
    admitted: context.admitted,
    served: call.served,
    settings: context.settings,
    isComplete: isGood,
    reason: isGood ? "vendor_sends_none" : isGivenUp ? "client_left" : collected.fault === null ? "vendor_error" : "vendor_cut",
  });
  const message = "The vendor's answer broke off or could not be read; try again shortly.";
  return {
    ...read,
    outcome: isGood ? (context.client.isGone() ? "client_left" : "complete") : isGivenUp ? "client_left" : collected.fault === null ? "vendor_error" : "vendor_cut",
    served: call.served,
    modelServed: meter.model,
    serviceTier: meter.serviceTier,
    attempts: [
      ...call.attempts,
      attemptOf(ports, call.served, { status: call.answer.status, headers: call.answer.headers, reason: collected.fault ?? meter.errorMessage, started: call.started, usage: null }),
    ],
    rewrites: call.body.rewrites,
    firstByteAtMs: collected.firstByteAtMs,
    vendorEndedAtMs: ports.clock.elapsed(),
    vendorHeaders: call.answer.headers,
    finish:
      json === null
        ? { kind: "refusal", refusal: refusal(context.admitted.id, "upstream_unavailable", message, { endpoint: call.served.route.endpoint }) }
        : { kind: "whole", status: call.answer.status, contentType: call.answer.headers["content-type"] ?? "application/json", body: collected.body },
  };
}

interface Collected {
  readonly body: Uint8Array;
  readonly fault: string | null;
  readonly firstByteAtMs: number | null;
}

async function collect(ports: Ports, context: RelayContext, call: VendorCall): Promise<Collected> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  let firstByteAtMs: number | null = null;
  const limit = context.settings.maxAnswerBytes;
  const timer = limitDrain(context, call);
  try {
    for await (const chunk of call.answer.body) {
      firstByteAtMs ??= ports.clock.elapsed();
      size += chunk.length;
      if (size > limit) throw new VendorFault("protocol", `the answer exceeds ${limit} bytes`, { mayHaveReached: true });
      pieces.push(chunk);
    }
  } catch (error) {
    call.answer.body.destroy();
    return { body: Buffer.concat(pieces), fault: error instanceof Error ? error.message : String(error), firstByteAtMs };
  } finally {
    timer.stop();
  }
  return { body: pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces), fault: null, firstByteAtMs };
}

/** When the client leaves, the vendor is read on for a bounded time, or given up at once. */
function limitDrain(context: RelayContext, call: VendorCall): { stop(): void } {
  const { gone } = context.client;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const onGone = (): void => {
    const { route } = call.served;
    if (route.onDisconnect === "cancel") call.abort.abort();
    else timer = setTimeout(() => call.abort.abort(), route.drainTimeoutMs).unref();
  };
  gone.addEventListener("abort", onGone, { once: true });
  if (gone.aborted) onGone();
  return {
    stop() {
      gone.removeEventListener("abort", onGone);
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function parse(body: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    return asObject(JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8")));
  } catch {
    return null;
  }
}
