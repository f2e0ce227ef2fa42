import { redact } from "../core/vendor-errors.ts";
import { withMembers, withoutMember } from "../protocol/json-edit.ts";
import type { SseEvent } from "../protocol/sse.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const nullUsage = Buffer.from(',"usage":null');
const usageName = Buffer.from('"usage"');

/**
 * The event without its top-level `usage` member; every other byte as it came. As vendors write it (`,"usage":null`, the name
 * nowhere else) it is cut out of the bytes: quotes inside a JSON text are escaped, so the name can stand only as a name.
 */
export function withoutUsage(event: SseEvent): Uint8Array {
  const bytes = Buffer.from(event.bytes.buffer, event.bytes.byteOffset, event.bytes.length);
  const from = bytes.indexOf(nullUsage);
  const to = from + nullUsage.length;
  if (from >= 0 && bytes.indexOf(usageName) === from + 1 && bytes.indexOf(usageName, to) < 0) {
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)], bytes.length - nullUsage.length);
  }
  const rest = withoutMember(decoder.decode(event.bytes), "usage");
  return rest === null ? event.bytes : encoder.encode(rest);
}

/**
 * An error as the vendor sent it, unless it shows the operator's credential, or its message something like one: ids beside
 * it stay whole.
 */
export function withoutSecrets(
  bytes: Uint8Array,
  sent: string | null,
  hide: (text: string) => string,
): Uint8Array {
  if (sent === null) return bytes;
  const message = hide(sent);
  const clean = redact(message);
  const whole = decoder.decode(bytes);
  const text = hide(whole);
  if (clean === message) return text === whole ? bytes : encoder.encode(text);
  const written = JSON.stringify(message).slice(1, -1);
  // Written with other escapes than ours, the message is not found as such: then everything is cleaned.
  const result = text.includes(written)
    ? text.replaceAll(written, JSON.stringify(clean).slice(1, -1))
    : redact(text);
  return encoder.encode(result);
}

/** What a usage object tells of the charge, to keys that asked for it. */
export interface ShownCost {
  /** Credits, exact decimal text. */
  readonly amount: string;
  readonly currency: string;
  readonly status: "exact" | "estimated";
}

/** An event or a body with the cost in its usage object; unchanged when it has none. Every other byte stays as it came. */
export function withCost(bytes: Uint8Array, cost: ShownCost): Uint8Array {
  const text = decoder.decode(bytes);
  // Decimal text is a JSON number as it stands: exact in the body, whatever a client then makes of it.
  const members = { cost: cost.amount, cost_details: JSON.stringify(cost) };
  const changed = withMembers(text, ["usage"], members) ?? withMembers(text, ["response", "usage"], members);
  return changed === null ? bytes : encoder.encode(changed);
}
