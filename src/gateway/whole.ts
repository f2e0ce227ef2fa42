import { type Ports, VendorFault } from "../ports.ts";
import { AnswerMeter, isAnswer } from "../protocol/answer-meter.ts";
import { asObject } from "../protocol/usage.ts";
import { endAnswer } from "./answered.ts";
import type { VendorEnd } from "./endings.ts";
import { calledOf } from "./failures.ts";
import type { Finish, RelayContext, Tried, VendorCall } from "./outcome.ts";
import { refusal } from "./refusals.ts";
import { withoutSecrets } from "./stream-edits.ts";

/**
 * Reads a whole answer. It is kept until the charge is committed, then sent as it came. One that breaks off or is no
 * answer of this API never reaches the client: another deployment is tried, and what it may have cost is the operator's.
 */
export async function readWhole(ports: Ports, context: RelayContext, call: VendorCall): Promise<Tried> {
  const meter = new AnswerMeter();
  const collected = await collect(ports, context, call);
  const json = collected.fault === null ? parse(collected.body) : null;
  if (json !== null) meter.message(json);
  const end = endOf(call, { fault: collected.fault, isJson: json !== null, meter });
  return endAnswer(ports, context, {
    call,
    meter,
    end,
    hasReachedClient: false,
    firstByteAtMs: collected.firstByteAtMs,
    reason: collected.fault ?? (json === null ? "the answer is no JSON of this API" : meter.errorMessage),
    finish: finishOf(context, call, { end, body: collected.body, message: meter.errorMessage }),
  });
}

/** An answer whose JSON says that it failed is a failure all the same; one that is no JSON broke off. */
function endOf(
  call: VendorCall,
  seen: { fault: string | null; isJson: boolean; meter: AnswerMeter },
): VendorEnd {
  if (seen.fault !== null && call.departure.isGivenUp()) return "given_up";
  if (seen.fault !== null || !seen.isJson) return "cut";
  return seen.meter.errorMessage !== null || seen.meter.status === "failed" ? "failed" : "complete";
}

function finishOf(
  context: RelayContext,
  call: VendorCall,
  about: { end: VendorEnd; body: Uint8Array; message: string | null },
): Finish {
  if (about.end === "given_up") return { kind: "nothing" };
  if (about.end === "cut") {
    const message = "The vendor's answer broke off or could not be read; try again shortly.";
    return {
      kind: "refusal",
      refusal: refusal(
        context.admitted.id,
        "upstream_unavailable",
        message,
        calledOf(context.admitted, call.served),
      ),
    };
  }
  const body = withoutSecrets(about.body, about.message, call.answer.hide);
  return {
    kind: "whole",
    status: call.answer.status,
    contentType: call.answer.headers["content-type"] ?? "application/json",
    body,
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
  try {
    for await (const chunk of call.answer.body) {
      if (firstByteAtMs === null) ports.reach?.("after_first_byte");
      firstByteAtMs ??= ports.clock.elapsed();
      size += chunk.length;
      if (size > limit)
        throw new VendorFault("protocol", `the answer exceeds ${limit} bytes`, { mayHaveReached: true });
      pieces.push(chunk);
    }
  } catch (error) {
    call.answer.body.destroy();
    return {
      body: Buffer.concat(pieces),
      fault: error instanceof Error ? error.message : String(error),
      firstByteAtMs,
    };
  }
  return {
    body: pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces),
    fault: null,
    firstByteAtMs,
  };
}

function parse(body: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8");
    const json = asObject(JSON.parse(text.startsWith("\ufeff") ? text.slice(1) : text));
    return json !== null && isAnswer(json) ? json : null;
  } catch {
    return null;
  }
}
