import { readFileSync } from "node:fs";
import { findNearest } from "../lib/nearest.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable holds, or why it cannot be said. */
export type Variable =
  | { readonly state: "set"; readonly text: string; readonly name: string }
  | { readonly state: "unset" }
  | { readonly state: "failed"; readonly message: string };

/**
 * The variable `name`, or the content of the file that `name_FILE` names, without the line end that editors add.
 * Mounted secrets are files, so that every variable has this second form.
 */
export function findVariable(environment: Environment, name: string): Variable {
  const text = environment[name];
  const file = environment[`${name}_FILE`];
  if (file === undefined || file === "")
    return text === undefined ? { state: "unset" } : { state: "set", text, name };
  if (text !== undefined && text !== "") {
    return { state: "failed", message: `both ${name} and ${name}_FILE are set; keep one of them` };
  }
  try {
    return { state: "set", text: readFileSync(file, "utf8").replace(/\r?\n$/, ""), name: `${name}_FILE` };
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
    return {
      state: "failed",
      message: `the file that ${name}_FILE names cannot be read (${reason}): ${file}`,
    };
  }
}

/** As `findVariable`, but set to nothing is unset: that is how container tools pass a variable that nobody gave. */
export function findGiven(environment: Environment, name: string): Variable {
  const found = findVariable(environment, name);
  return found.state === "set" && found.text === "" ? { state: "unset" } : found;
}

/**
 * `${NAME}`, `${NAME:-default}` and the escape `$${`. YAML gives braces, commas and colons a meaning of their own, so
 * that `{ token: ${TOKEN:-} }` would not parse: before parsing each such expression is written in private characters,
 * one for one, so that every place in the file stays where it is. After parsing it is read back in scalars only.
 */
const expression = /\$\$\{|\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}\r\n]*)?\}/g;
const firstPrivate = 0xe000;
const privateText = /[\u{e000}-\u{e07f}]+/gu;

export const shieldExpressions = (text: string): string =>
  text.replace(expression, (found) =>
    // Only ASCII is moved: nothing else has a meaning in YAML.
    found.replace(/[\x20-\x7e]/g, (character) => String.fromCharCode(firstPrivate + character.charCodeAt(0))),
  );

export const unshield = (text: string): string =>
  text.replace(privateText, (found) =>
    Array.from(found, (character) => String.fromCharCode(character.charCodeAt(0) - firstPrivate)).join(""),
  );

/** Where the first character lies that `shieldExpressions` needs for itself; -1 when there is none. */
export const findReserved = (text: string): number => text.search(/[\u{e000}-\u{e07f}]/u);

export interface Expansion {
  readonly text: string;
  /** Names of the variables that are part of the text. */
  readonly names: readonly string[];
  readonly problems: readonly { readonly index: number; readonly message: string }[];
}

/** Puts variables into an unshielded scalar. `index` of a problem counts expressions from 0. */
export function expandVariables(text: string, environment: Environment): Expansion {
  const names: string[] = [];
  const problems: { index: number; message: string }[] = [];
  let index = -1;
  const expanded = text.replace(expression, (found) => {
    index += 1;
    if (found === "$${") return "${";
    const [name = "", ...rest] = found.slice(2, -1).split(":-");
    const fallback = found.includes(":-") ? rest.join(":-") : null;
    names.push(name);
    const variable = fallback === null ? findVariable(environment, name) : findGiven(environment, name);
    if (variable.state === "set") return variable.text;
    if (variable.state === "failed") problems.push({ index, message: variable.message });
    else if (fallback !== null) return fallback;
    else
      problems.push({
        index,
        message: `the environment variable ${name} is not set; ${adviseUnset(environment, name)}`,
      });
    return "";
  });
  return { text: expanded, names, problems };
}

function adviseUnset(environment: Environment, name: string): string {
  const near = findNearest(name, Object.keys(environment));
  return near === null ? `set it, or write \${${name}:-default}` : `did you mean ${near}, which is set?`;
}

/** Whether a `${` is left that is no expression: a slip that must not become part of a value. */
export const hasMalformedExpression = (text: string): boolean => /\$\{/.test(text.replace(expression, ""));
