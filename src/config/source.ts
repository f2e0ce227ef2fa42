import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
} from "yaml";
import type { ConfigProblem, Origin } from "./config.ts";
import {
  type Environment,
  expandVariables,
  findReserved,
  hasMalformedExpression,
  shieldExpressions,
  unshield,
} from "./variables.ts";

/** What was written, before anything is known about its type: text with its place. */
export type Source =
  | { readonly kind: "map"; readonly entries: Map<string, SourceEntry>; readonly origin: Origin }
  | { readonly kind: "list"; readonly items: readonly Source[]; readonly origin: Origin }
  | SourceScalar;

export interface SourceEntry {
  /** Where the key stands. */
  readonly origin: Origin;
  readonly value: Source;
}

export interface SourceScalar {
  readonly kind: "scalar";
  readonly text: string;
  /**
   * Plain text may be a number or a word; quoted text is text; `empty` is a key without a value, or null;
   * of a `failed` one the problem is reported already.
   */
  readonly form: "plain" | "quoted" | "empty" | "failed";
  /** Names of variables in the text: their content is never shown. */
  readonly variables: readonly string[];
  /** The one `${NAME}` that is the whole text, so that a secret can be shown as where it comes from. */
  readonly reference: string | null;
  readonly origin: Origin;
}

const empty = (form: "empty" | "failed", origin: Origin): SourceScalar => ({
  kind: "scalar",
  text: "",
  form,
  variables: [],
  reference: null,
  origin,
});

export const emptyMap = (origin: Origin): Source & { kind: "map" } => ({
  kind: "map",
  entries: new Map(),
  origin,
});

export const scalar = (text: string, origin: Origin): SourceScalar => ({
  kind: "scalar",
  text,
  form: "plain",
  variables: origin.kind === "environment" ? [origin.name] : [],
  reference: origin.kind === "environment" ? `\${${origin.name.replace(/_FILE$/, "")}}` : null,
  origin,
});

/** Reads YAML 1.2 with its places, and puts variables into scalars. `file` is how the file is called in messages. */
export function parseSource(
  text: string,
  file: string,
  environment: Environment,
): { readonly root: Source; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const lines = new LineCounter();
  const shielded = shieldExpressions(text);
  const document = parseDocument(shielded, { lineCounter: lines, prettyErrors: false, version: "1.2" });
  const place = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset);
    return { kind: "file", file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const report = (offset: number, message: string): void => {
    problems.push({ origin: place(offset), path: "", message });
  };
  const reserved = findReserved(text);
  if (reserved >= 0)
    report(reserved, "this character (U+E000 to U+E07F) has no meaning to others; remove it");
  for (const error of [...document.errors, ...document.warnings]) {
    report(
      error.pos[0],
      error.code === "DUPLICATE_KEY" ? "this key is given twice; keep one of them" : explain(error.message),
    );
  }
  const reader = new TreeReader({ document, shielded, environment, place, report });
  return { root: reader.read(document.contents, 0), problems };
}

/** The parser's message as the middle of a sentence, without private characters. */
const explain = (message: string): string => {
  const plain = unshield(message).replace(/\s+/g, " ").replace(/\.$/, "");
  return `this is not YAML: ${plain.charAt(0).toLowerCase()}${plain.slice(1)}`;
};

interface Reading {
  readonly document: Document;
  readonly shielded: string;
  readonly environment: Environment;
  place(offset: number): Origin;
  report(offset: number, message: string): void;
}

/** Values in all, aliases written out: ten aliases of ten aliases of ten… are a small file and a large tree. */
const nodesMax = 300_000;

class TreeReader {
  readonly #file: Reading;
  /** Maps and lists that are being read: an alias may name one that contains it. */
  readonly #open = new Set<Node>();
  #nodes = 0;

  constructor(file: Reading) {
    this.#file = file;
  }

  read(written: unknown, offset: number): Source {
    let node = written;
    if (isAlias(node)) {
      offset = node.range?.[0] ?? offset;
      node = node.resolve(this.#file.document);
    } else if (isScalar(node) || isMap(node) || isSeq(node)) {
      offset = node.range?.[0] ?? offset;
    }
    const origin = this.#file.place(offset);
    this.#nodes += 1;
    if (this.#nodes === nodesMax)
      this.#file.report(offset, `this file has more than ${nodesMax} values; write fewer aliases of aliases`);
    if (this.#nodes >= nodesMax) return empty("failed", origin);
    if (isScalar(node)) return this.#readScalar(node, origin);
    if (!isMap(node) && !isSeq(node)) return empty("empty", origin);
    if (this.#open.has(node)) {
      this.#file.report(offset, "this alias contains itself; write the value out");
      return empty("failed", origin);
    }
    this.#open.add(node);
    const tree = isMap(node) ? this.#readMap(node.items, origin) : this.#readList(node.items, origin, offset);
    this.#open.delete(node);
    return tree;
  }

  #readList(items: readonly unknown[], origin: Origin, offset: number): Source {
    return { kind: "list", items: items.map((item) => this.read(item, offset)), origin };
  }

  #readMap(items: readonly { key: unknown; value: unknown }[], origin: Origin): Source {
    const map = emptyMap(origin);
    for (const { key, value } of items) {
      if (!isScalar(key)) {
        this.#file.report(0, "a key must be plain text, not a list or a map");
        continue;
      }
      const offset = key.range?.[0] ?? 0;
      const name = keyText(key);
      if (name !== unshield(name))
        this.#file.report(offset, "variables are read in values, not in keys; write the key out");
      else if (!map.entries.has(name)) {
        const origin = this.#file.place(offset);
        const read = this.read(value, offset);
        // A value that is not there has no place of its own.
        const isEmpty = read.kind === "scalar" && read.form === "empty";
        map.entries.set(name, { origin, value: isEmpty ? { ...read, origin } : read });
      }
    }
    return map;
  }

  #readScalar(node: Scalar, origin: Origin): SourceScalar {
    const written = unshield(typeof node.source === "string" ? node.source : "");
    const isPlain = node.type === undefined || node.type === Scalar.PLAIN;
    const expansion = expandVariables(written, this.#file.environment);
    const start = node.range?.[0] ?? 0;
    for (const { index, message } of expansion.problems)
      this.#file.report(this.#findExpression(node, index), message);
    const isMalformed = hasMalformedExpression(written);
    if (isMalformed) {
      this.#file.report(
        start,
        `\${ begins no variable; write \${NAME} or \${NAME:-default}, or $\${ for the characters themselves`,
      );
    }
    const isEmpty = isPlain && node.value === null;
    const isFailed = isMalformed || expansion.problems.length > 0;
    const isUntyped = isPlain || expansion.names.length > 0;
    const form = isFailed ? "failed" : isEmpty ? "empty" : isUntyped ? "plain" : "quoted";
    const reference = /^\$\{[A-Za-z0-9_]+\}$/.test(written) ? written : null;
    return { kind: "scalar", text: expansion.text, form, variables: expansion.names, reference, origin };
  }

  /** The offset of the expression with this number in a scalar: shielding keeps each character in its place. */
  #findExpression(node: Scalar, index: number): number {
    const [start, end] = node.range ?? [0, 0];
    const dollar = String.fromCharCode(0xe000 + 0x24);
    const brace = String.fromCharCode(0xe000 + 0x7b);
    let offset = start;
    for (let found = 0; offset < end; offset++) {
      if (this.#file.shielded[offset] !== brace) continue;
      if (found === index) break;
      found += 1;
    }
    while (offset > start && this.#file.shielded[offset - 1] === dollar) offset -= 1;
    return offset;
  }
}

/** Numbers and words as keys are text as well: `2024:` is the key "2024". */
const keyText = (key: Scalar): string => (typeof key.source === "string" ? key.source : String(key.value));
