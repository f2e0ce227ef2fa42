/** A second reader of JSON, written apart from the gate and as plainly as can be, to check the gate against. */
export interface StrictReading {
  readonly isValid: boolean;
  /** A name stands twice in one object, after its escapes are undone. */
  readonly hasTwice: boolean;
  readonly depth: number;
}

/** Reads by consuming the text from its front with one regular expression for each token. */
export function readStrictly(text: string): StrictReading {
  const tokens =
    text.match(
      /[\t\n\r ]+|[{}[\],:]|true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/gu,
    ) ?? [];
  const bad = { isValid: false, hasTwice: false, depth: 0 };
  if (tokens.join("") !== text) return bad;
  const rest = tokens.filter((token) => token.trim() !== "" || token.startsWith('"')).reverse();
  const state = { hasTwice: false, depth: 0 };
  const value = (depth: number): boolean => {
    const token = rest.pop();
    if (token === undefined) return false;
    state.depth = Math.max(state.depth, token === "{" || token === "[" ? depth : 0);
    if (token === "{") return members(depth);
    if (token === "[") return elements(depth);
    return !/^[}\],:]$/.test(token);
  };
  const members = (depth: number): boolean => {
    const names = new Set<string>();
    if (rest.at(-1) === "}") return rest.pop() !== undefined;
    for (;;) {
      const name = rest.pop();
      if (name === undefined || !name.startsWith('"') || rest.pop() !== ":") return false;
      const plain = JSON.parse(name) as string;
      if (names.has(plain)) state.hasTwice = true;
      names.add(plain);
      if (!value(depth + 1)) return false;
      const next = rest.pop();
      if (next === "}") return true;
      if (next !== ",") return false;
    }
  };
  const elements = (depth: number): boolean => {
    if (rest.at(-1) === "]") return rest.pop() !== undefined;
    for (;;) {
      if (!value(depth + 1)) return false;
      const next = rest.pop();
      if (next === "]") return true;
      if (next !== ",") return false;
    }
  };
  const isValid = value(1) && rest.length === 0;
  return { isValid, ...state };
}
