/**
 * The configuration file: type, check, JSON Schema and reference page from one schema. Every field has its unit in
 * its name or its sentence, and its default is written here and nowhere else.
 *
 * Beside JSON Schema's own keywords a field may carry `expects` (what a right value looks like, for messages),
 * `isSecret` (never printed) and `hasPassword` (printed without the password in it).
 */
import { type Static, Type } from "typebox";
import { milliseconds, positiveDecimal, section, strict, text, whole } from "./fields.ts";
import { price } from "./price-fields.ts";

const serverSection = section("Where Tollgate listens.", {
  host: text("Address to listen on. Only 127.0.0.1 is reached by this machine alone.", {
    default: "127.0.0.1",
  }),
  port: whole(0, 65_535, "TCP port to listen on; 0 takes any free one.", { default: 8402 }),
  workers: whole(1, 64, "Processes that serve requests. More than 1 needs PostgreSQL.", { default: 1 }),
});

const limitsSection = section("Bounds that keep one client from taking the whole gateway.", {
  body_bytes: whole(1_024, 268_435_456, "Largest request body, in bytes; beyond it the answer is 413.", {
    default: 10_485_760,
  }),
  json_depth: whole(4, 1_000, "Deepest nesting of a request body, in levels.", { default: 64 }),
  concurrent_requests: whole(
    1,
    100_000,
    "Requests in progress in one process; beyond it the answer is 503.",
    {
      default: 2_000,
    },
  ),
  default_max_output_tokens: whole(
    1,
    10_000_000,
    "Output cap, in tokens, for a model whose own maximum is unknown, when the client gives none.",
    { default: 4_096 },
  ),
  headers_timeout_ms: milliseconds(60_000, "How long a client may take to send a request's headers, in ms."),
  body_timeout_ms: milliseconds(120_000, "How long a client may take to send a whole request, in ms."),
});

const ledgerSection = section("How the gateway works with the ledger.", {
  recovery_ms: whole(
    1_000,
    86_400_000,
    "After a process died, its open holds are settled or released within this time, in ms.",
    { default: 60_000 },
  ),
  hold_patience_ms: milliseconds(
    3_000,
    "How long a request waits for its hold before the answer is 503, in ms.",
  ),
  postgres_pool: whole(2, 200, "PostgreSQL connections of each process.", { default: 8 }),
});

const endpoint = strict("One vendor account or server. Its name here is what deployments refer to.", {
  kind: Type.Enum(["azure", "openai"], {
    description: "`azure` for Azure OpenAI, `openai` for OpenAI and for anything else that speaks its API.",
  }),
  provider: Type.Optional(
    text(
      "Whose price list applies: a vendor of the built-in price book, like `groq`. Without it the `kind`.",
    ),
  ),
  base_url: text(
    "Azure: `https://NAME.openai.azure.com`. Otherwise the API root, for OpenAI `https://api.openai.com/v1`.",
    { pattern: "^https?://", expects: 'a URL that starts with "https://" or "http://"' },
  ),
  api_key: Type.Optional(
    text(
      `The vendor's key; \`none\` when the server needs none. Take it from the environment: \`\${NAME}\`.`,
      {
        isSecret: true,
      },
    ),
  ),
  auth: Type.Optional(
    Type.Enum(["key", "bearer"], {
      description:
        "How the key or token is sent: `key` as header `api-key`, `bearer` as header `Authorization`. Without it `key` for an `api_key` of kind azure, else `bearer`.",
    }),
  ),
  token_command: Type.Optional(
    Type.Array(text("The program or one of its arguments."), {
      minItems: 1,
      maxItems: 100,
      description:
        "Instead of `api_key`: a program, with its arguments, that prints a token (Microsoft Entra ID). Run again before the token expires.",
    }),
  ),
  token_file: Type.Optional(
    text("Instead of `api_key`: a file that holds a token and is read again when it changes."),
  ),
  api_version: Type.Optional(
    text("Azure only, and needed there: a dated version, or `v1`.", {
      pattern: "^(v1|preview|[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?)$",
      expects: 'a dated version like "2024-12-01-preview", or "v1"',
    }),
  ),
  on_disconnect: Type.Enum(["drain", "cancel"], {
    default: "drain",
    description:
      "When the client leaves: `drain` reads the vendor to its end and charges exactly, `cancel` closes the upstream and charges the estimate.",
  }),
  drain_timeout_ms: milliseconds(600_000, "How long to go on reading after the client left, in ms."),
  connect_timeout_ms: milliseconds(10_000, "How long connecting to the vendor may take, in ms."),
  first_byte_timeout_ms: milliseconds(600_000, "How long the vendor may take to begin its answer, in ms."),
  idle_timeout_ms: milliseconds(120_000, "How long the vendor may be silent within an answer, in ms."),
  charge_filtered_prompt: Type.Boolean({
    default: true,
    description:
      "Whether a prompt that the vendor's content filter refused is charged as input. Azure bills such prompts.",
  }),
  send_stream_options: Type.Optional(
    Type.Boolean({
      description:
        "Whether to ask for usage in streams (`stream_options.include_usage`). Without it the vendor's rules and what was learned decide.",
    }),
  ),
  headers: Type.Record(Type.String(), text("The header's value.", { isSecret: true }), {
    default: {},
    description: "More headers for every request to this endpoint, by name.",
  }),
});

const deployment = strict("One place that serves the model.", {
  endpoint: text("Name of the endpoint."),
  deployment: text("What the vendor calls it: the deployment's name at Azure, elsewhere the model id."),
  model: Type.Optional(
    text(
      "The underlying model: it decides price, tokenizer and parameter rules until an answer says which model served. Without it the name that clients use.",
    ),
  ),
  weight: Type.Optional(
    whole(1, 1_000, "Share of the requests, relative to the other deployments of the same turn (see below)."),
  ),
  priority: Type.Optional(
    whole(
      0,
      1_000,
      "Its turn, the lowest first, instead of the order in the file. For all deployments of a model or none.",
    ),
  ),
});

const model = strict("A model under the name that clients use.", {
  markup: Type.Optional(
    text("Markup on list prices for this model. Without it the general `markup`.", {
      pattern: positiveDecimal,
      expects: 'decimal text like "1.25"',
    }),
  ),
  strict_parameters: Type.Boolean({
    default: false,
    description: "Whether a vendor's 400 about a parameter goes to the client instead of being repaired.",
  }),
  hosted_tools: Type.Array(
    Type.Enum(["web_search", "file_search", "code_interpreter"], { description: "A hosted tool." }),
    { default: [], description: "The vendor's own tools that clients may use; each is charged per use." },
  ),
  service_tiers: Type.Array(text("A service tier."), {
    default: ["auto", "default", "flex", "priority"],
    description: "Service tiers that clients may ask for. One without a known price is refused all the same.",
  }),
  deployments: Type.Array(deployment, {
    minItems: 1,
    maxItems: 100,
    description: "Where it is served, in the order of trying.",
  }),
});

export const configSchema = strict("Tollgate's configuration.", {
  server: serverSection,
  store: text(
    "Where accounts, prices and the ledger are kept: `postgres://…`, or a directory for the embedded database, relative to the working directory.",
    { default: "./tollgate-data", hasPassword: true },
  ),
  admin: section("The admin API.", {
    token: Type.String({
      default: "",
      isSecret: true,
      description: "Bearer token of the admin API. Empty: one is made and kept in the data directory.",
    }),
  }),
  credits: section("The unit that customers see.", {
    usd: text(
      "What one credit is worth, in USD: a value that gives every amount a finite number of decimals.",
      {
        default: "1",
        pattern: positiveDecimal,
        expects: 'decimal text like "0.01"',
      },
    ),
    name: text("What customers call it.", { default: "credit", maxLength: 40 }),
  }),
  markup: text("Sell price divided by list price, for every model that does not say otherwise.", {
    default: "1",
    pattern: positiveDecimal,
    expects: 'decimal text like "1.20"',
  }),
  errors: section("How errors look to clients.", {
    quota_status: Type.Enum([402, 429], {
      default: 402,
      description:
        "HTTP status when the balance does not cover a request. Clients retry 429 in vain; OpenAI sends it.",
    }),
  }),
  endpoints: Type.Record(Type.String(), endpoint, {
    default: {},
    description: "Vendors, by a name of your choice.",
  }),
  models: Type.Record(Type.String(), model, {
    default: {},
    description: "Models, by the name that clients use.",
  }),
  prices: Type.Array(price, {
    default: [],
    maxItems: 10_000,
    description: "Prices that override or complete the built-in price book.",
  }),
  limits: limitsSection,
  ledger: ledgerSection,
  idempotency: section("Repeated requests with the same `Idempotency-Key`.", {
    enabled: Type.Boolean({
      default: false,
      description:
        "Whether the key is honoured for every API key; one that says so itself is honoured in any case.",
    }),
  }),
  estimates: section("Estimates beside the vendor's usage, to know how accurate they are.", {
    sample_rate: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.1,
      description: "Share of the requests with vendor usage that are estimated as well, from 0 to 1.",
    }),
  }),
  time_zone: text("Time zone of days and months in reports, by its IANA name.", { default: "UTC" }),
});

/** A checked configuration file, with its defaults. */
export type ConfigDocument = Static<typeof configSchema>;
export type EndpointDocument = ConfigDocument["endpoints"][string];
export type ModelDocument = ConfigDocument["models"][string];
export type DeploymentDocument = ModelDocument["deployments"][number];
