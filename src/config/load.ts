import { existsSync, readFileSync } from "node:fs";
import { resolve as resolvePath } from "node:path";
import { Value } from "typebox/value";
import { type Config, ConfigError, type ConfigProblem, type Origin } from "./config.ts";
import { addVendorsFromEnvironment, type ConfigFlags, overlay } from "./overlay.ts";
import { readDocument } from "./read.ts";
import { resolveConfig } from "./resolve.ts";
import { type ConfigDocument, configSchema } from "./schema.ts";
import { emptyMap, parseSource, type Source } from "./source.ts";
import { type Environment, findGiven } from "./variables.ts";

export interface ConfigInput {
  readonly flags: ConfigFlags;
  readonly env: Environment;
  readonly cwd: string;
  /** Names of the models that have a price when `provider` sells them: "openai". */
  readonly pricedModels: (provider: string) => readonly string[];
}

const usualFiles = ["tollgate.yaml", "tollgate.yml"];
const fileBytesMax = 10_000_000;

/**
 * Reads the configuration: flag, environment, file, default, in this order. Nothing else reads the environment.
 * Throws one `ConfigError` that lists everything that is wrong.
 */
export function loadConfig(input: ConfigInput): Config {
  const { root, file, problems } = readFile(input);
  const first: ConfigProblem[] = [...problems, ...overlay(root, input.env, input.flags)];
  let hasVendor = false;
  if (root.kind === "map") {
    const added = addVendorsFromEnvironment(root, input.env, input.pricedModels);
    hasVendor = added.hasAdded;
    first.push(...added.problems);
  }
  const reading = readDocument(configSchema, root);
  const all = [...first, ...reading.problems];
  if (all.length > 0) throw new ConfigError(sortProblems(all));
  // The reader and the schema must agree, or the editor's check and ours would differ.
  Value.Assert(configSchema, reading.value);
  const { config, problems: late } = resolveConfig(reading.value as ConfigDocument, {
    cwd: input.cwd,
    file,
    isConfigured: file !== null || hasVendor,
    origins: reading.origins,
    place: reading.place,
  });
  if (late.length > 0) throw new ConfigError(sortProblems(late));
  return freeze(config);
}

/** The file that will be read, as it was named, or null. */
export function findConfigFile({
  flags,
  env,
  cwd,
}: Omit<ConfigInput, "pricedModels">): { name: string; origin: Origin } | null {
  if (flags.config !== undefined) return { name: flags.config, origin: { kind: "flag", name: "--config" } };
  const given = findGiven(env, "TOLLGATE_CONFIG");
  if (given.state === "set")
    return { name: given.text, origin: { kind: "environment", name: "TOLLGATE_CONFIG" } };
  const usual = usualFiles.find((name) => existsSync(resolvePath(cwd, name)));
  return usual === undefined ? null : { name: usual, origin: { kind: "default" } };
}

function readFile(input: ConfigInput): {
  root: Source;
  file: string | null;
  problems: readonly ConfigProblem[];
} {
  const found = findConfigFile(input);
  if (found === null) return { root: emptyMap({ kind: "default" }), file: null, problems: [] };
  let text: string;
  try {
    text = readFileSync(resolvePath(input.cwd, found.name), "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    const message = `the file ${found.name} cannot be read (${reason}); check its name and its permissions`;
    throw new ConfigError([{ origin: found.origin, path: "", message }]);
  }
  if (text.length > fileBytesMax) {
    throw new ConfigError([
      {
        origin: found.origin,
        path: "",
        message: `the file ${found.name} is larger than 10 MB; check its name`,
      },
    ]);
  }
  const { root, problems } = parseSource(text, found.name, input.env);
  const isEmpty = root.kind === "scalar" && root.form === "empty";
  return { root: isEmpty ? emptyMap(root.origin) : root, file: found.name, problems };
}

/** In the order of the file, so that they are corrected from top to bottom. */
const sortProblems = (problems: readonly ConfigProblem[]): readonly ConfigProblem[] =>
  [...problems].sort(
    (a, b) => lineOf(a.origin) - lineOf(b.origin) || columnOf(a.origin) - columnOf(b.origin),
  );
const lineOf = (origin: Origin): number => (origin.kind === "file" ? origin.line : 0);
const columnOf = (origin: Origin): number => (origin.kind === "file" ? origin.column : 0);

function freeze<Kind>(value: Kind): Kind {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const one of value instanceof Map ? value.values() : Object.values(value)) freeze(one);
  }
  return value;
}
