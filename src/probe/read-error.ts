import { readVendorError, redact } from "../core/vendor-errors.ts";
import { asObject } from "../protocol/usage.ts";
import { parseObject } from "./read-answer.ts";
import type { ErrorSeen } from "./types.ts";

const rawLengthMax = 600;

/** Reads the body of a refusal, and how its envelope differs from OpenAI's. */
export function readError(status: number, body: string): ErrorSeen {
  return {
    ...readVendorError(status, body),
    raw: redact(body.replace(/\s+/g, " ").trim().slice(0, rawLengthMax)),
    envelopeFault: envelopeFault(body),
  };
}

/** OpenAI's is `{"error":{"message","type","param","code"}}`: the last two text or null (dialect §9). */
function envelopeFault(body: string): string | null {
  const json = parseObject(body);
  if (json === null) return "it is no JSON object";
  if (json.error === undefined) return "it has no `error`";
  const error = asObject(json.error);
  if (error === null) return "`error` is no object";
  const faults = [
    typeof error.message === "string" ? null : "`message` is no text",
    ...["type", "param", "code"].map((name) => fieldFault(error[name], name)),
  ].filter((fault) => fault !== null);
  return faults.length === 0 ? null : faults.join(", ");
}

function fieldFault(value: unknown, name: string): string | null {
  if (value === undefined) return `\`${name}\` is missing`;
  if (value === null) return null;
  return typeof value === "string" ? null : `\`${name}\` is a ${typeof value}`;
}
