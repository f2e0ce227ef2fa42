import type { JsonObject } from "./json-gate.ts";
import { asArray } from "./usage.ts";

export interface RequestFault {
  readonly code:
    | "invalid_type"
    | "invalid_value"
    | "missing_required_parameter"
    | "unsupported_feature"
    | "conflicting_limits";
  readonly message: string;
  readonly param: string;
}

/** Carries a fault out of the reading of one body. */
export class RequestFaultError extends Error {
  override readonly name = "RequestFaultError";
  readonly fault: RequestFault;
  constructor(code: RequestFault["code"], param: string, message: string) {
    super(message);
    this.fault = { code, param, message };
  }
}

/** Reads top-level fields strictly: what Tollgate prices, every parser must read alike. */
export class FieldReader {
  private readonly body: JsonObject;
  private readonly numbers: ReadonlyMap<string, string>;

  constructor(body: JsonObject, numbers: ReadonlyMap<string, string>) {
    this.body = body;
    this.numbers = numbers;
  }

  text(name: string): string | null {
    const value = this.body[name];
    if (value === undefined || value === null) return null;
    if (typeof value !== "string" || value === "")
      throw new RequestFaultError("invalid_type", name, `Cannot read \`${name}\`: it is not a text.`);
    return value;
  }

  flag(name: string): boolean | null {
    const value = this.body[name];
    if (value === undefined || value === null) return null;
    if (typeof value !== "boolean")
      throw new RequestFaultError("invalid_type", name, `Cannot read \`${name}\`: it is not true or false.`);
    return value;
  }

  /** A whole number written in plain digits, so that no parser reads another one. */
  count(name: string, least: number, most: number): number | null {
    const value = this.body[name];
    if (value === undefined || value === null) return null;
    const written = this.numbers.get(name);
    if (typeof value !== "number" || written === undefined || !/^-?\d+$/.test(written)) {
      throw new RequestFaultError(
        "invalid_type",
        name,
        `Cannot read \`${name}\`: it is not a whole number in plain digits.`,
      );
    }
    if (value < least || value > most) {
      throw new RequestFaultError(
        "invalid_value",
        name,
        `Cannot use \`${name}\` = ${value}: it must be from ${least} to ${most}.`,
      );
    }
    return value;
  }

  oneOf(name: string, allowed: ReadonlySet<string>): string | null {
    const value = this.text(name);
    if (value !== null && !allowed.has(value)) {
      throw new RequestFaultError(
        "invalid_value",
        name,
        `Cannot use \`${name}\` = ${JSON.stringify(value.slice(0, 40))}: it must be one of ${[...allowed].join(", ")}.`,
      );
    }
    return value;
  }

  /** Legacy completions answer each prompt of a list; a list of tokens is one prompt. */
  promptCount(): number {
    const prompts = asArray(this.body["prompt"]);
    return prompts.length > 1 && typeof prompts[0] !== "number" ? prompts.length : 1;
  }
}
