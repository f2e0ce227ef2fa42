import { freeMembers, innerNames } from "./inner-names.ts";

/**
 * Reads a request body as exactly one JSON object that every parser reads alike, or says why not. What Tollgate prices
 * and what the vendor serves are then the same request (security: differential parsing).
 */
export type JsonObject = { readonly [name: string]: unknown };

export interface GateLimits {
  readonly maxDepth: number;
  readonly maxKeys: number;
}

export interface GateFault {
  readonly code: "invalid_json" | "duplicate_key" | "ambiguous_key" | "invalid_number";
  readonly message: string;
  readonly param: string | null;
}

export type GateResult =
  | {
      readonly ok: true;
      readonly value: JsonObject;
      /** Top-level numbers as written, for fields whose form matters ("1e1" is not a count). */
      readonly numbers: ReadonlyMap<string, string>;
    }
  | { readonly ok: false; readonly fault: GateFault };

class Fault extends Error {
  readonly fault: GateFault;
  constructor(code: GateFault["code"], message: string, param: string | null = null) {
    super(message);
    this.fault = { code, message, param };
  }
}

/** `knownNames`: fields that decide price or limits; a top-level name that only looks like one is refused. */
export function readJsonObject(
  bytes: Uint8Array,
  knownNames: ReadonlySet<string>,
  limits: GateLimits,
): GateResult {
  try {
    const text = decode(bytes);
    const scan = new Scanner(text, limits);
    scan.document();
    for (const name of scan.topLevelNames) refuseLookAlike(name, knownNames);
    return { ok: true, value: JSON.parse(text) as JsonObject, numbers: scan.topLevelNumbers };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, fault: error.fault };
    if (error instanceof SyntaxError)
      return { ok: false, fault: { code: "invalid_json", message: notJson(error.message), param: null } };
    throw error;
  }
}

function refuseLookAlike(name: string, known: ReadonlySet<string>): void {
  const folded = fold(name);
  if (folded === name || !known.has(folded)) return;
  throw new Fault(
    "ambiguous_key",
    `Cannot read the body: ${JSON.stringify(name)} looks like "${folded}"; write it exactly so.`,
    name,
  );
}

/** Unicode look-alikes and letter case folded away, as the loosest parsers do. */
const fold = (name: string): string =>
  /^[a-z0-9_]*$/.test(name) ? name : name.normalize("NFKC").toLowerCase().trim();
const notJson = (why: string): string => `Cannot read the body: it is not valid JSON (${why.slice(0, 120)}).`;

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Fault("invalid_json", "Cannot read the body: it is not valid UTF-8.");
  }
}

const numberForm = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A double has at most 17 significant digits; to compare a longer text with it costs time that grows with its square. */
const maxNumberLength = 64;
/** No field name is longer; to fold a name costs more than to read it. */
const maxNameLength = 1_024;
/** The longest parameter list of the API is a tenth of it. */
const maxTopLevelNames = 512;
/** Members and elements in all. The largest honest body is 300,000 tokens to embed, as numbers. */
const maxValues = 400_000;
/** A list or an object costs as much as so many numbers, even when it is empty. */
const containerWeight = 4;
const blankForm = /[\t\n\r ]*/y;

/** One pass over the text: structure, depth, duplicate names, numbers. `JSON.parse` then builds the value. */
class Scanner {
  private at = 0;
  private keys = 0;
  private values = 0;
  /** How many members around this place hold names of the client's own. */
  private free = 0;
  readonly topLevelNames: string[] = [];
  readonly topLevelNumbers = new Map<string, string>();
  private readonly text: string;
  private readonly limits: GateLimits;

  constructor(text: string, limits: GateLimits) {
    this.text = text;
    this.limits = limits;
  }

  document(): void {
    this.blank();
    if (this.text[this.at] !== "{")
      throw new Fault("invalid_json", "Cannot read the body: it is not a JSON object.");
    this.object(1);
    this.blank();
    if (this.at !== this.text.length) throw this.unexpected();
  }

  private value(depth: number, name: string | null): void {
    const char = this.text[this.at];
    this.values += char === "{" || char === "[" ? containerWeight : 1;
    if (this.values > maxValues)
      throw new Fault("invalid_json", `Cannot read the body: it has more than ${maxValues} values.`);
    if (char === '"') this.string();
    else if (char === "{") this.object(depth + 1);
    else if (char === "[") this.array(depth + 1);
    else if (char === "-" || (char !== undefined && char >= "0" && char <= "9"))
      this.number(depth === 1 ? name : null);
    else if (!this.word("true") && !this.word("false") && !this.word("null")) throw this.unexpected();
  }

  private object(depth: number): void {
    this.checkDepth(depth);
    const names = new Set<string>();
    this.at += 1;
    this.blank();
    if (this.take("}")) return;
    for (;;) {
      if (this.text[this.at] !== '"') throw this.unexpected();
      const name = this.string();
      if (name.length > maxNameLength) {
        throw new Fault(
          "invalid_json",
          `Cannot read the body: a name in it is longer than ${maxNameLength} characters.`,
        );
      }
      if (names.has(name)) {
        throw new Fault(
          "duplicate_key",
          `Cannot read the body: ${JSON.stringify(name)} stands twice in one object; send it once.`,
          name,
        );
      }
      if (name === "__proto__")
        throw new Fault("ambiguous_key", 'Cannot read the body: "__proto__" is not a field name.', name);
      this.keys += 1;
      if (this.keys > this.limits.maxKeys)
        throw new Fault(
          "invalid_json",
          `Cannot read the body: it has more than ${this.limits.maxKeys} names.`,
        );
      names.add(name);
      if (depth === 1) this.topLevelNames.push(name);
      else if (this.free === 0) refuseLookAlike(name, innerNames);
      if (this.topLevelNames.length > maxTopLevelNames) {
        throw new Fault(
          "invalid_json",
          `Cannot read the body: it has more than ${maxTopLevelNames} names at its top.`,
        );
      }
      this.blank();
      if (!this.take(":")) throw this.unexpected();
      this.blank();
      const isFree = freeMembers.has(name);
      if (isFree) this.free += 1;
      this.value(depth, name);
      if (isFree) this.free -= 1;
      this.blank();
      if (this.take("}")) return;
      if (!this.take(",")) throw this.unexpected();
      this.blank();
    }
  }

  private array(depth: number): void {
    this.checkDepth(depth);
    this.at += 1;
    this.blank();
    if (this.take("]")) return;
    for (;;) {
      this.value(depth, null);
      this.blank();
      if (this.take("]")) return;
      if (!this.take(",")) throw this.unexpected();
      this.blank();
    }
  }

  /** The string's value; escapes are undone only when there are any. */
  private string(): string {
    const open = this.at;
    let close = open;
    do {
      close = this.text.indexOf('"', close + 1);
      if (close < 0) throw this.unexpected();
    } while (this.isEscaped(close));
    this.at = close + 1;
    const raw = this.text.slice(open + 1, close);
    return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  private isEscaped(quote: number): boolean {
    let slashes = 0;
    while (this.text.charCodeAt(quote - 1 - slashes) === 92) slashes += 1;
    return slashes % 2 === 1;
  }

  private number(topLevelName: string | null): void {
    numberForm.lastIndex = this.at;
    const match = numberForm.exec(this.text);
    if (match === null) throw this.unexpected();
    this.at = numberForm.lastIndex;
    const token = match[0];
    if (!survivesParsing(token)) {
      throw new Fault(
        "invalid_number",
        `Cannot read the body: the number ${token.slice(0, 40)} cannot be kept exactly.`,
        topLevelName,
      );
    }
    if (topLevelName !== null) this.topLevelNumbers.set(topLevelName, token);
  }

  private word(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }

  private blank(): void {
    const code = this.text.charCodeAt(this.at);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
    blankForm.lastIndex = this.at;
    blankForm.exec(this.text);
    this.at = blankForm.lastIndex;
  }

  private checkDepth(depth: number): void {
    if (depth > this.limits.maxDepth)
      throw new Fault(
        "invalid_json",
        `Cannot read the body: it is nested deeper than ${this.limits.maxDepth} levels.`,
      );
  }

  private unexpected(): Fault {
    const found = this.at >= this.text.length ? "the end" : JSON.stringify(this.text[this.at]);
    return new Fault("invalid_json", notJson(`unexpected ${found} at position ${this.at}`));
  }
}

/** Whether a double holds the number as written, so that serialising it again changes nothing. */
function survivesParsing(token: string): boolean {
  if (token.length <= 15 && !/[eE]/.test(token)) return true;
  if (token.length > maxNumberLength) return false;
  const value = Number(token);
  return Number.isFinite(value) && canonical(token) === canonical(String(value));
}

/** Digits and power of ten of a decimal, trailing zeros removed. */
function canonical(token: string): string {
  const [mantissa = "", exponent = "0"] = token.toLowerCase().replace(/^-/, "").split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const trimmed = digits.replace(/0+$/, "");
  if (trimmed === "") return "0";
  return `${trimmed}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - trimmed.length)}`;
}
