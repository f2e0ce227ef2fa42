import { type Ports, VendorFault } from "../ports.ts";
import { AnswerMeter } from "../protocol/answer-meter.ts";
import { asObject } from "../protocol/usage.ts";
import { readText } from "./failures.ts";
import type { RelayContext, VendorCall } from "./outcome.ts";

/** The customer waits for the end of a stream that broke already: no longer than this, ms. */
const patienceMs = 3_000;
const maxAnswerBytes = 64 * 1024 * 1024;

/**
 * A stream of the Responses API broke off before its usage, but the vendor may have kept the response: then it is read
 * once, and what it says is exact. Null when the vendor has it not, or when it has not ended.
 */
export async function readBack(
  ports: Ports,
  context: RelayContext,
  about: { call: VendorCall; meter: AnswerMeter },
): Promise<AnswerMeter | null> {
  const { meter, call } = about;
  const { facts } = context.admitted.request;
  if (
    !facts.isKept ||
    facts.background ||
    meter.vendorId === null ||
    meter.status === null ||
    meter.usage() !== null
  )
    return null;
  try {
    const answer = await ports.vendor.call({
      deployment: call.served.route,
      operation: `responses/${encodeURIComponent(meter.vendorId)}`,
      method: "GET",
      body: null,
      requestId: context.admitted.id,
      signal: AbortSignal.timeout(patienceMs),
    });
    const text = await readText(answer, maxAnswerBytes);
    if (answer.status !== 200) return null;
    const json = asObject(JSON.parse(text));
    const again = new AnswerMeter();
    if (json === null || json["id"] !== meter.vendorId) return null;
    again.message(json);
    return again.usage() === null ? null : again;
  } catch (error) {
    if (error instanceof VendorFault || error instanceof SyntaxError) return null;
    throw error;
  }
}
