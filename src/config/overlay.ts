import type { ConfigProblem, Origin } from "./config.ts";
import { emptyMap, type Source, scalar } from "./source.ts";
import { type Environment, findGiven } from "./variables.ts";

/** Values that the command line gives. */
export interface ConfigFlags {
  readonly config?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly workers?: string | undefined;
}

/** Variables that stand for one value of the file, with its path. */
const variables: readonly { name: string; path: readonly string[] }[] = [
  { name: "HOST", path: ["server", "host"] },
  { name: "PORT", path: ["server", "port"] },
  { name: "DATABASE_URL", path: ["store"] },
  { name: "TOLLGATE_ADMIN_TOKEN", path: ["admin", "token"] },
];

type SourceMap = Source & { kind: "map" };

/** Puts environment and flags over what the file says: flag, environment, file, default. */
export function overlay(
  root: Source,
  environment: Environment,
  flags: ConfigFlags,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (root.kind !== "map") return problems;
  for (const { name, path } of variables) {
    const found = findGiven(environment, name);
    const origin: Origin = { kind: "environment", name: found.state === "set" ? found.name : name };
    if (found.state === "failed") problems.push({ origin, path: path.join("."), message: found.message });
    if (found.state === "set") put(root, path, found.text, origin);
  }
  for (const name of ["host", "port", "workers"] as const) {
    const text = flags[name];
    if (text !== undefined) put(root, ["server", name], text, { kind: "flag", name: `--${name}` });
  }
  return problems;
}

function put(root: SourceMap, path: readonly string[], text: string, origin: Origin): void {
  let map = root;
  for (const key of path.slice(0, -1)) {
    const known = map.entries.get(key)?.value;
    // A list or a word in a group's place stays, to be reported; nothing, or an empty value, makes room.
    if (known !== undefined && known.kind !== "map" && !isEmpty(known)) return;
    map = mapAt(map, key, origin);
  }
  map.entries.set(path.at(-1) ?? "", { origin, value: scalar(text, origin) });
}

/**
 * Endpoints and models that the environment alone makes. Nothing when the file names an endpoint: who writes
 * endpoints down does not expect another one, with other prices, because of a variable in the shell. For the same
 * reason no models are made beside those in the file.
 */
export function addVendorsFromEnvironment(
  root: SourceMap,
  environment: Environment,
  pricedModels: (provider: string) => readonly string[],
): { readonly hasAdded: boolean; readonly problems: readonly ConfigProblem[] } {
  if (isGiven(root, "endpoints")) return { hasAdded: false, problems: [] };
  const addModel = isGiven(root, "models") ? () => undefined : addDeployment;
  const vendors = new VendorsFromEnvironment(environment);
  const azure = vendors.azure();
  const openai = vendors.openai();
  if (azure !== null) {
    const name = azure.deployment;
    addEndpoint(root, "azure", azure.fields);
    addModel(root, name.text, "azure", name.origin);
  }
  if (openai !== null) {
    addEndpoint(root, "openai", openai.fields);
    for (const model of pricedModels("openai")) addModel(root, model, "openai", openai.origin);
  }
  return { hasAdded: azure !== null || openai !== null, problems: vendors.problems };
}

const isEmpty = (source: Source): boolean => source.kind === "scalar" && source.form === "empty";

function isGiven(root: SourceMap, key: string): boolean {
  const known = root.entries.get(key)?.value;
  return known !== undefined && !isEmpty(known);
}

interface Given {
  readonly text: string;
  readonly origin: Origin;
}

class VendorsFromEnvironment {
  readonly problems: ConfigProblem[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  openai(): { fields: Record<string, Given>; origin: Origin } | null {
    const key = this.#find("OPENAI_API_KEY");
    const url = this.#find("OPENAI_BASE_URL");
    if (key === null && url === null) return null;
    if (key === null)
      return this.#miss("openai", 'OPENAI_API_KEY is not set; set it ("none" when the server needs none)');
    const kind: Given = { text: "openai", origin: key.origin };
    const base_url = url ?? { text: "https://api.openai.com/v1", origin: { kind: "default" } };
    return { fields: { kind, base_url, api_key: key }, origin: key.origin };
  }

  azure(): { fields: Record<string, Given>; deployment: Given } | null {
    const base_url = this.#find("AZURE_OPENAI_ENDPOINT");
    const api_key = this.#find("AZURE_OPENAI_API_KEY");
    const deployment = this.#find("AZURE_OPENAI_DEPLOYMENT_NAME");
    const api_version = this.#find("AZURE_OPENAI_API_VERSION") ?? this.#find("OPENAI_API_VERSION");
    if (base_url === null && api_key === null && deployment === null) return null;
    const missing = [
      base_url === null ? "AZURE_OPENAI_ENDPOINT" : null,
      api_key === null ? "AZURE_OPENAI_API_KEY" : null,
      api_version === null ? "AZURE_OPENAI_API_VERSION (or OPENAI_API_VERSION)" : null,
      deployment === null ? "AZURE_OPENAI_DEPLOYMENT_NAME" : null,
    ].filter((one) => one !== null);
    if (base_url === null || api_key === null || api_version === null || deployment === null) {
      return this.#miss(
        "azure",
        `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not set; set all of them or none`,
      );
    }
    const kind: Given = { text: "azure", origin: base_url.origin };
    return { fields: { kind, base_url, api_key, api_version }, deployment };
  }

  #find(name: string): Given | null {
    const found = findGiven(this.#environment, name);
    const origin: Origin = { kind: "environment", name: found.state === "set" ? found.name : name };
    if (found.state === "failed") this.problems.push({ origin, path: "", message: found.message });
    return found.state === "set" ? { text: found.text, origin } : null;
  }

  #miss(endpoint: string, what: string): null {
    const message = `the environment begins to describe the endpoint "${endpoint}", but ${what}`;
    const name = endpoint === "azure" ? "AZURE_OPENAI_*" : "OPENAI_BASE_URL";
    if (this.problems.length === 0)
      this.problems.push({ origin: { kind: "environment", name }, path: "", message });
    return null;
  }
}

function addEndpoint(root: SourceMap, name: string, fields: Readonly<Record<string, Given>>): void {
  for (const [key, { text, origin }] of Object.entries(fields))
    put(root, ["endpoints", name, key], text, origin);
}

/** A model under its own name; one that is there already gets the endpoint as its next resort. */
function addDeployment(root: SourceMap, model: string, endpoint: string, origin: Origin): void {
  const deployment = emptyMap(origin);
  put(deployment, ["endpoint"], endpoint, origin);
  put(deployment, ["deployment"], model, origin);
  const models = mapAt(root, "models", origin);
  const entry = mapAt(models, model, origin);
  const known = entry.entries.get("deployments")?.value;
  const items = known?.kind === "list" ? [...known.items, deployment] : [deployment];
  entry.entries.set("deployments", { origin, value: { kind: "list", items, origin } });
}

/** The map under `key`, made when there is none. */
function mapAt(map: SourceMap, key: string, origin: Origin): SourceMap {
  const known = map.entries.get(key)?.value;
  if (known?.kind === "map") return known;
  const made = emptyMap(origin);
  map.entries.set(key, { origin, value: made });
  return made;
}
