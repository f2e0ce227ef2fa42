import { redact } from "../../core/vendor-errors.ts";
import type { Frame, Measurement } from "../types.ts";

/** `high`: money is miscounted by who does not know. `medium`: clients or requests break. `low`: time or accuracy. */
export const severities = ["high", "medium", "low", "info"] as const;
export type Severity = (typeof severities)[number];

/** What shows a finding: the call, a sentence, and the frame, header or body as it came. */
export interface Evidence {
  readonly call: string | null;
  readonly shows: string;
  readonly quote: string | null;
}

/** One thing that a probe can find. An id is never used again for anything else. */
export interface FindingRule {
  readonly id: `TG-P${string}`;
  /** For programs, beside the id. */
  readonly name: string;
  readonly severity: Severity;
  readonly title: string;
  /** Why it matters. */
  readonly meaning: string;
  readonly advice: string;
  /** The evidence; none, and it is no finding. */
  detect(measurement: Measurement): readonly Evidence[];
}

export interface Finding extends Omit<FindingRule, "detect"> {
  readonly evidence: readonly Evidence[];
}

const quoteLengthMax = 400;
/** Beyond these a finding is clear; the rest is counted. */
export const evidenceMax = 6;

export function evidence(
  call: { readonly plan: { readonly id: string } } | null,
  shows: string,
  quote?: string | null,
): Evidence {
  return {
    call: call?.plan.id ?? null,
    shows,
    quote: quote === undefined || quote === null ? null : shorten(redact(quote)),
  };
}

export const quoteFrame = (frame: Frame | undefined): string | null =>
  frame === undefined ? null : `data: ${frame.text}`;

export const quoteHeader = (name: string, value: string): string => `${name}: ${value}`;

/** A long quote keeps both ends: what is telling often stands last. */
function shorten(text: string): string {
  if (text.length <= quoteLengthMax) return text;
  const half = Math.floor((quoteLengthMax - 3) / 2);
  return `${text.slice(0, half)} … ${text.slice(-half)}`;
}
