import type { ErrorStyle } from "./errors.ts";
import { type Model, openaiModels, plainModel } from "./models.ts";
import type { Random } from "./seeded.ts";
import { azureAsyncShape, azureShape } from "./shapes/azure.ts";
import { cleanShape, openaiShape } from "./shapes/openai.ts";
import type { ChatShape } from "./shapes/shape.ts";

export type ProfileName = keyof typeof profiles;

/** One vendor, as data: how it is addressed, what it refuses, and how it writes its answers. */
export interface Profile {
  readonly about: string;
  readonly isAzure: boolean;
  readonly errors: ErrorStyle;
  readonly shape: ChatShape;
  /** Unknown request fields are refused. */
  readonly isStrict: boolean;
  /** The model behind a name, or null when the vendor has none of that name. */
  findModel(name: string): Model | null;
  answerId(random: Random): string;
  headers(random: Random, deployment: string): Record<string, string>;
}

const openai: Profile = {
  about: "OpenAI: usage in a last chunk of its own when asked for, usage:null on the others then",
  isAzure: false,
  errors: "openai",
  shape: openaiShape,
  isStrict: true,
  findModel: (name) => openaiModels.get(name) ?? null,
  answerId: (random) => `chatcmpl-${random.text(29)}`,
  headers: openaiHeaders,
};

const azure: Profile = {
  ...openai,
  about:
    "Azure OpenAI: empty filter chunk first, alphabetical keys, what it takes decided by the request's api-version",
  isAzure: true,
  errors: "azure",
  shape: azureShape,
  headers: azureHeaders,
};

export const profiles = {
  openai,
  azure,
  "azure-async-filter": {
    ...azure,
    about:
      "Azure with the asynchronous content filter: annotation chunks without a delta, one after the finish",
    shape: azureAsyncShape,
  },
  clean: {
    ...openai,
    about: "an ideal endpoint: any model, any parameter, nothing hidden, usage always sent",
    shape: cleanShape,
    isStrict: false,
    findModel: (name: string) => plainModel(name),
  },
} satisfies Record<string, Profile>;

export const profileNames = Object.keys(profiles).filter(isProfileName);

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(profiles, name);
}

export function getProfile(name: ProfileName): Profile {
  return profiles[name];
}

function openaiHeaders(random: Random): Record<string, string> {
  return {
    "x-request-id": `req_${random.hex(32)}`,
    "openai-processing-ms": "412",
    "openai-version": "2020-10-01",
    "openai-organization": "org-example",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-limit-tokens": "200000",
    "x-ratelimit-remaining-tokens": "199968",
    "x-ratelimit-reset-tokens": "9ms",
  };
}

function azureHeaders(random: Random, deployment: string): Record<string, string> {
  return {
    "apim-request-id": random.uuid(),
    "x-request-id": random.uuid(),
    "x-ms-client-request-id": random.uuid(),
    "x-ms-region": "East US 2",
    "x-ms-deployment-name": deployment,
    "x-ms-rai-invoked": "true",
    "azureml-model-session": `d${random.hex(3)}-20251107`,
    "x-ratelimit-limit-requests": "250",
    "x-ratelimit-remaining-requests": "249",
    "x-ratelimit-limit-tokens": "250000",
    "x-ratelimit-remaining-tokens": "249871",
  };
}
