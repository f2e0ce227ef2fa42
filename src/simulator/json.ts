/**
 * JSON as the simulated vendor reads and writes it. A key whose value is `undefined` is left out when
 * written.
 */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON object in `text`, or null when it is not one. */
export function parseJsonObject(text: string): JsonObject | null {
  try {
    const value: Json = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function readString(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

export function readNumber(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}

export function readArray(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

export function readObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
