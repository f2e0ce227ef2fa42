/** A simulated vendor, and a gateway in front of it: the same client calls both, and must not see a difference. */
import { expect } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { startTestGateway, type TestGateway } from "./gateway.ts";

/** Where a client connects. */
export interface Place {
  /** `…/v1` of an OpenAI-like API. */
  readonly openai: string;
  /** The resource address of an Azure-like API, without a path. */
  readonly azure: string;
  readonly key: string;
}

export interface Pair {
  readonly direct: Place;
  readonly through: Place;
  readonly gateway: TestGateway;
  readonly openai: Simulator;
  readonly azure: Simulator;
  readonly accountId: string;
  close(): Promise<void>;
}

export const apiVersion = "2025-03-01-preview";
export const pairModels = [
  "gpt-4.1-nano",
  "gpt-5-mini",
  "gpt-5.2",
  "text-embedding-3-small",
  "gpt-3.5-turbo-instruct",
];

export async function startPair(): Promise<Pair> {
  const clock = (): number => 1_763_208_000_000;
  const openai = await startSimulator({ profile: "openai", clock });
  const azure = await startSimulator({ profile: "azure", clock });
  const models = pairModels.map(
    (model) => `  ${model}: { deployments: [{ endpoint: openai, deployment: ${model} }] }`,
  );
  const onAzure = pairModels.map(
    (model) => `  az-${model}: { deployments: [{ endpoint: azure, deployment: ${model}, model: ${model} }] }`,
  );
  const gateway = await startTestGateway({
    yaml: `
endpoints:
  openai: { kind: openai, base_url: "${openai.url}/v1", api_key: k }
  azure: { kind: azure, base_url: "${azure.url}", api_key: k, api_version: ${apiVersion} }
models:
${[...models, ...onAzure].join("\n")}
`,
  });
  const { accountId, key } = await gateway.customer("1000");
  return {
    direct: { openai: `${openai.url}/v1`, azure: azure.url, key: "k" },
    through: { openai: `${gateway.url}/v1`, azure: gateway.url, key },
    gateway,
    openai,
    azure,
    accountId,
    async close() {
      await gateway.close(1_000);
      await openai.close();
      await azure.close();
    },
  };
}

/** At the vendor a deployment is called like its model; at the gateway Azure's have names of their own. */
export const azureModel = (place: Place, pair: Pair, model: string): string =>
  place === pair.through ? `az-${model}` : model;

const randomIds =
  /\b(chatcmpl|cmpl|resp|msg|rs|fc|call|req|run|ctc)[-_][A-Za-z0-9_-]{6,}|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
/** Differ from call to call, or tell one place from the other. */
const volatile = new Set([
  "obfuscation",
  "_request_id",
  "headers",
  "timestamp",
  "system_fingerprint",
  "responseMetadata",
  "lc_kwargs",
]);

/** What a client gave, as plain data, without what is random. */
export function plain(value: unknown): unknown {
  const seen = new WeakSet<object>();
  const text = JSON.stringify(value, (name, part: unknown) => {
    if (volatile.has(name)) return undefined;
    if (part instanceof Uint8Array) return `bytes ${Buffer.from(part).toString("base64")}`;
    if (typeof part === "object" && part !== null) {
      if (seen.has(part)) return "[again]";
      seen.add(part);
    }
    return part;
  });
  return text === undefined
    ? undefined
    : JSON.parse(
        text
          .replace(randomIds, "$1-id")
          .replace(/az-(gpt|text)/g, "$1")
          // Azure tells the api-version of its own address: the endpoint's, not the client's.
          .replace(/(under Azure OpenAI API version )[\w.-]+/g, "$1…"),
      );
}

/** What a call gave, or the error it threw, as applications see it. */
export async function resultOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return { result: plain(await call()) };
  } catch (error) {
    const seen = error as Record<string, unknown> & Error;
    const { status, statusCode, code, type, param } = seen;
    return {
      error: plain({
        name: seen.constructor.name,
        message: seen.message,
        status,
        statusCode,
        code,
        type,
        param,
      }),
    };
  }
}

const isFailed = (result: unknown): result is { error: object } =>
  typeof result === "object" && result !== null && "error" in result;

/** Makes the call at both places and compares. Returns what it gave, for further looks. */
// biome-ignore lint/suspicious/noExplicitAny: what clients return has many types.
export async function expectSame(pair: Pair, call: (place: Place) => Promise<unknown>): Promise<any> {
  const direct = await resultOf(() => call(pair.direct));
  const through = await resultOf(() => call(pair.through));
  // An envelope that lacks a field is completed on the way (Azure's have neither type nor param): more, never other.
  if (isFailed(direct)) expect(through).toMatchObject(direct);
  else expect(through).toEqual(direct);
  return direct;
}
