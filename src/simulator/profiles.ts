import type { ErrorStyle } from "./errors.ts";
import { type Model, openaiModels, plainModel } from "./models.ts";
import type { Random } from "./seeded.ts";
import { azureAsyncShape, azureShape } from "./shapes/azure.ts";
import {
  deepseekShape,
  geminiShape,
  groqShape,
  mistralShape,
  moonshotShape,
  openrouterShape,
  perplexityShape,
  xaiShape,
} from "./shapes/hosted.ts";
import { llamacppShape, ollamaShape, vllmShape } from "./shapes/local.ts";
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
  /** Headers that name the answer. */
  answerHeaders?(id: string): Record<string, string>;
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
    "Azure OpenAI: empty filter chunk first, alphabetical keys, what it takes decided by the " +
    "request's api-version",
  isAzure: true,
  errors: "azure",
  shape: azureShape,
  headers: azureHeaders,
};

/**
 * A vendor that speaks the same protocol: takes any field, and serves what `serves` makes of a model's name.
 */
function compatible(about: string, shape: ChatShape, different: Partial<Profile> = {}): Profile {
  return {
    ...openai,
    about,
    shape,
    isStrict: false,
    findModel: servesAll(),
    headers: plainHeaders,
    ...different,
  };
}

/** Serves any name; the ones that `thinks` finds have reasoning. */
function servesAll(thinks: RegExp | null = null, hiddenOutput = 0): (name: string) => Model {
  return (name) =>
    plainModel(name, { family: thinks?.test(name) === true ? "open_thinking" : "open", hiddenOutput });
}

export const profiles = {
  openai,
  azure,
  "azure-async-filter": {
    ...azure,
    about:
      "Azure with the asynchronous content filter: bare text, annotations without a delta, " +
      "after the finish too",
    shape: azureAsyncShape,
  },
  clean: compatible(
    "an ideal endpoint: any model and parameter, nothing hidden, usage always sent",
    cleanShape,
  ),
  vllm: compatible(
    "vLLM: the usage key is left out elsewhere, running totals per choice on request",
    vllmShape,
    {
      errors: "vllm",
      findModel: servesAll(/qwq|think|-r1/i, 1),
      answerId: (random) => `chatcmpl-${random.hex(32)}`,
    },
  ),
  groq: compatible("Groq: usage on the finish chunk, twice, and once more when asked for", groqShape, {
    findModel: servesAll(/gpt-oss|qwen|-r1/i),
    answerId: (random) => `chatcmpl-${random.uuid()}`,
  }),
  gemini: compatible(
    "Gemini's OpenAI address: running totals on every chunk, thinking only in the total",
    geminiShape,
    {
      findModel: servesAll(/gemini-(2\.5|[3-9])/i),
      answerId: (random) => random.text(22),
    },
  ),
  deepseek: compatible(
    "DeepSeek: usage on the finish chunk, null before, visible reasoning, keep-alives",
    deepseekShape,
    {
      findModel: servesAll(/reason|-r1/i),
      answerId: (random) => random.uuid(),
    },
  ),
  openrouter: compatible(
    "OpenRouter: usage with its cost always, comments, numeric error codes",
    openrouterShape,
    {
      errors: "openrouter",
      findModel: servesAll(/\/(o\d|gpt-5|.*think)/i),
      answerId: (random) => `gen-1784000000-${random.text(20)}`,
      answerHeaders: (id) => ({ "x-generation-id": id }),
    },
  ),
  xai: compatible("xAI: completion_tokens without reasoning, the total with it, cost in ticks", xaiShape, {
    findModel: servesAll(/^grok-(3-mini|4(?!.*non-reasoning))/i),
    answerId: (random) => random.uuid(),
  }),
  mistral: compatible("Mistral: usage on the finish chunk, without details", mistralShape, {
    answerId: (random) => random.hex(32),
  }),
  moonshot: compatible("Moonshot: usage inside the choice that finishes", moonshotShape, {
    findModel: servesAll(/thinking/i),
    answerId: (random) => `chatcmpl-${random.hex(24)}`,
  }),
  perplexity: compatible(
    "Perplexity: running totals on every chunk, a done object at the end",
    perplexityShape,
    {
      answerId: (random) => random.uuid(),
    },
  ),
  ollama: compatible("Ollama: the role on every chunk, no details", ollamaShape, {
    errors: "ollama",
    findModel: servesAll(/-r1|think|gpt-oss/i, 1),
    answerId: (random) => `chatcmpl-${random.below(1_000)}`,
  }),
  llamacpp: compatible("llama.cpp: a usage chunk with timings though nobody asked", llamacppShape, {
    findModel: servesAll(/think|gpt-oss/i, 1),
    answerId: (random) => `chatcmpl-${random.text(32)}`,
  }),
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

function plainHeaders(random: Random): Record<string, string> {
  return { "x-request-id": random.hex(32) };
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
