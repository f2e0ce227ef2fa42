import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface SourceFile {
  /** From the root of the package: "src/core/money.ts". */
  readonly path: string;
  readonly text: string;
}

/** What the program is made of: every TypeScript file under src/, without tests and benchmarks. */
export function readSourceFiles(folder = "src"): readonly SourceFile[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry): readonly SourceFile[] => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return readSourceFiles(path);
    if (!path.endsWith(".ts") || /\.(test|bench)\.ts$/.test(path)) return [];
    return [{ path, text: readFileSync(join(root, path), "utf8") }];
  });
}

export interface Import {
  /** A path from the root for our own files, else the specifier: "node:fs", "yaml". */
  readonly target: string;
  readonly isTypeOnly: boolean;
  readonly line: number;
}

const importForms =
  /^[ \t]*(?:import|export)\s+(type\s+)?[^"'`;]*?\bfrom\s*["']([^"']+)["']|^[ \t]*import\s*["']([^"']+)["']|\bimport\s*\(\s*["']([^"']+)["']/gm;

/** Static, side-effect and dynamic imports and re-exports, found in the text without comments. */
export function findImports({ path, text }: SourceFile): readonly Import[] {
  const code = withoutComments(text);
  return [...code.matchAll(importForms)].map((match) => {
    const specifier = match[2] ?? match[3] ?? match[4] ?? "";
    const isOwn = specifier.startsWith(".");
    return {
      target: isOwn ? normalize(join(dirname(path), specifier)).replaceAll("\\", "/") : specifier,
      isTypeOnly: match[1] !== undefined,
      line: lineAt(code, match.index + match[0].search(/\S/)),
    };
  });
}

/** Lines of the code, comments aside, on which `form` is found. */
export function findLines({ text }: SourceFile, form: RegExp): readonly number[] {
  const code = withoutComments(text);
  return [...code.matchAll(new RegExp(form, `${form.flags.replace("g", "")}g`))].map((match) =>
    lineAt(code, match.index),
  );
}

/** The same text, same lines, with comments blanked. Text in quotes is kept: a URL is no comment. */
export function withoutComments(text: string): string {
  const tokens = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(tokens, (token) => (token.startsWith("/") ? token.replace(/[^\n]/g, " ") : token));
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length;
