import type { Lesson } from "../core/parameters.ts";
import type { Basis, EstimateMethod } from "./accuracy.ts";
import type { UsageState } from "./facts.ts";
import type { Severity } from "./findings/finding.ts";
import type { Latency } from "./latency.ts";
import type { ParameterResult } from "./matrix.ts";
import type { CallKind, CallRecord } from "./types.ts";

export const probeSchema = "tollgate.probe/1";

/** A probe as JSON: everything that its Markdown says, and the calls that it rests on. Amounts are decimal text. */
export interface ProbeReport {
  readonly schema: typeof probeSchema;
  readonly at: string;
  readonly duration_ms: number;
  readonly environment: ReportEnvironment;
  readonly cost: ReportCost;
  readonly calls: readonly ReportCall[];
  /** Calls left out to stay within the cost, by their ids. */
  readonly skipped: readonly string[];
  readonly parameters: readonly ParameterResult[];
  readonly errors: readonly ReportError[];
  readonly accuracy: readonly ReportAccuracy[];
  readonly prompt_overhead: { readonly tokens: number | null; readonly samples: number };
  readonly latency: Latency;
  /** Null when no price is known. */
  readonly money: ReportMoney | null;
  readonly findings: readonly ReportFinding[];
  readonly lessons: readonly Lesson[];
}

export interface ReportEnvironment {
  readonly endpoint: string;
  readonly kind: "azure" | "openai";
  readonly base_url: string;
  readonly deployment: string;
  readonly model: string;
  readonly model_served: string | null;
  readonly api_version: string | null;
  readonly credential: string;
  readonly limit_parameter: string;
  readonly tokenizer: string;
  readonly tokenizer_is_guess: boolean;
  readonly price_row: string | null;
  readonly price_book: string;
}

export interface ReportCost {
  /** By the vendor's own usage. */
  readonly known_usd: string;
  /** What calls without usage may have cost besides, at most. Null when no price is known. */
  readonly at_most_usd: string | null;
  readonly max_usd: string;
  readonly calls: number;
  readonly refused: number;
  readonly without_usage: number;
}

export interface ReportCall {
  readonly id: string;
  readonly title: string;
  readonly kind: CallKind;
  readonly prompt: string;
  readonly cap: number;
  /** Everything that was sent besides the messages. */
  readonly sent: Readonly<Record<string, unknown>>;
  readonly status: number | null;
  readonly fault: string | null;
  readonly error: {
    readonly message: string;
    readonly type: string | null;
    readonly param: string | null;
    readonly code: string | null;
  } | null;
  readonly usage_state: UsageState;
  readonly usage: {
    readonly input: number;
    readonly output: number;
    readonly reasoning: number;
    readonly cached_input: number;
    readonly total: number;
  } | null;
  readonly usage_object: unknown;
  readonly text: string | null;
  readonly visible_tokens: number | null;
  readonly hidden_tokens: number | null;
  readonly is_cap_reached: boolean;
  readonly finish_reason: string | null;
  readonly model_served: string | null;
  readonly service_tier: string | null;
  readonly stream: ReportStream | null;
  readonly first_byte_ms: number | null;
  readonly first_text_ms: number | null;
  readonly duration_ms: number;
  readonly cost_usd: string | null;
  readonly cost_basis: CallRecord["cost"]["basis"];
}

export interface ReportStream {
  readonly chunks: number;
  readonly first: string | null;
  readonly last: string | null;
  readonly has_done: boolean;
  readonly comments: number;
  readonly cut: string | null;
}

export interface ReportError {
  readonly call: string;
  readonly status: number | null;
  readonly message: string | null;
  readonly body: string | null;
  /** Null: it is OpenAI's envelope, or the request was not refused. */
  readonly envelope_fault: string | null;
}

export interface ReportAccuracy {
  readonly call: string;
  readonly method: EstimateMethod;
  readonly basis: Basis;
  readonly billed_by: string;
  readonly estimate: { readonly input: number; readonly output: number; readonly total: number };
  readonly billed: {
    readonly input: number;
    readonly output: number;
    readonly reasoning: number;
    readonly total: number;
  };
  /** Share of the vendor's total that the estimate misses, in whole per cent; negative = too much. */
  readonly missing_percent_of_billed_total: number | null;
}

export interface ReportMoney {
  readonly volume: number;
  readonly cases: readonly {
    readonly call: string;
    readonly billed_by: string;
    readonly basis: Basis;
    readonly lines: readonly {
      readonly method: EstimateMethod | "vendor";
      readonly input: number;
      readonly output: number;
      readonly each_usd: string;
      readonly all_usd: string;
      readonly missing_usd: string;
      /** Of the vendor's bill, in whole per cent; negative = too much. */
      readonly missing_percent_of_billed: number | null;
    }[];
  }[];
}

export interface ReportFinding {
  readonly id: string;
  readonly name: string;
  readonly severity: Severity;
  readonly title: string;
  readonly meaning: string;
  readonly advice: string;
  readonly evidence: readonly {
    readonly call: string | null;
    readonly shows: string;
    readonly quote: string | null;
  }[];
  /** Further evidence that is not listed. */
  readonly more: number;
}
