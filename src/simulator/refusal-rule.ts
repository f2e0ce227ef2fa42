import type { Api, Ask } from "./ask.ts";
import type { Refusal } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { Model } from "./models.ts";

export interface RefusalInputs {
  readonly api: Api;
  readonly body: JsonObject;
  readonly ask: Ask;
  readonly model: Model;
  readonly isAzure: boolean;
  /** Azure's api-version; null elsewhere. */
  readonly apiVersion: string | null;
  /** Unknown fields are refused (OpenAI and Azure). */
  readonly isStrict: boolean;
}

/** Why a request is refused, or null when this rule has nothing against it. */
export type Rule = (inputs: RefusalInputs) => Refusal | null;

export function bad(message: string, param: string | null, code: string | null): Refusal {
  return { status: 400, message, param, code };
}
