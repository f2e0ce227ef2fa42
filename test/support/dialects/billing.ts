/** Prices, estimates, and what is billed when nobody reads. */
import { aVendor, type DialectRows, e2e, no, none, yes } from "./row.ts";

export const billingRows: DialectRows = {
  Prices: [
    yes(
      "The served model and service tier decide",
      "else the deployment's own model; the record says which",
      [e2e("prices"), "the service tier that served"],
    ),
    yes("More than 272 000 input tokens reprice the request", "not at 272 000", [
      "src/core/rating.test.ts",
      "an input of %i tokens",
    ]),
    yes("Cache writes, audio and image tokens", "by their own prices where they have some", [
      e2e("prices"),
      "cache reads and writes",
    ]),
    yes("Batch, flex, priority, `fast`", "tables of their own; a tier without a price is refused", [
      e2e("prices"),
      "refuses %s before the vendor is called",
    ]),
    no("An embedding model on chat", "no output price, no chat", [
      e2e("prices"),
      "an embedding model has no price for chat",
    ]),
    yes(
      "Cost = the parts by their prices, each medium by its own",
      "whole pico-USD; the lines sum to the charge",
      ["src/core/rating.test.ts", "adds up to the whole on both sides"],
    ),
    yes("Prices change on a date", "a request keeps the price of its instant", [
      "src/config/load-price-book.test.ts",
      "a service tier follows the dates of its model",
    ]),
    yes("Six decimals per token are not enough", "integers of 10⁻¹² USD; every list price converts exactly", [
      "src/config/price-data.test.ts",
      "every OpenAI and Azure list price of genai-prices converts exactly",
    ]),
    yes(
      "Output cap and context window of each model",
      "known for every priced chat model of OpenAI and Azure",
      ["src/config/catalogue.test.ts", "the limits of every priced chat model of OpenAI and Azure are known"],
    ),
    yes(
      "A vendor states a cost of its own (OpenRouter `cost`, xAI `cost_in_usd_ticks`)",
      "passed on in the usage; the price book decides",
      aVendor,
    ),
    none(
      "Regional surcharges, PTU hours, the router's fee, storage per GB-day",
      "no quantity of them stands in an answer: give the deployment prices that hold them",
    ),
  ],
  "Estimates and tokenizers": [
    yes("Input of a chat: 3 per message, role, content, 1 per name, 3 at the end", "so counted", [
      "src/core/tokens/fixtures.test.ts",
      "is estimated as recorded",
    ]),
    yes(
      "Some deployments bill one token less, tools add hidden ones",
      "learned by deployment, for tools apart",
      [e2e("estimates"), "is learned from requests that report usage"],
    ),
    yes("o200k_base and cl100k_base by model", "counted exactly as tiktoken counts", [
      "src/core/tokens/counter.test.ts",
      "odd texts as tiktoken does",
    ]),
    yes("gpt-6 and later are in no map", "the newest encoding, and the estimate is a lower bound", [
      "src/core/tokens/input.test.ts",
      "takes the newest encoding for a model that no map knows",
    ]),
    yes("Hidden reasoning, filtered text, tools, data_sources", "a lower bound, declared so", [
      e2e("estimates"),
      "says what it is good at: reasoning and tools apart",
    ]),
    yes(
      "Images by patches or tiles",
      "estimated by the published rules, at their most where the size is unknown",
      ["src/core/tokens/input.test.ts", "an image of unknown size at its most"],
    ),
    yes(
      "Text counted by characters ÷ 4 or 1.67",
      "kept beside every sample; what they would have billed is a report",
      ["test/contract/console.test.ts", "estimates are compared with the vendor's counts"],
    ),
    yes(
      "p50k_base and r50k_base",
      "not kept: usage decides, and an estimate is a guess by the newest encoding, a lower bound",
      ["src/core/tokens/encodings.test.ts", "is %s, guess %s"],
    ),
  ],
  "When a client leaves": [
    yes(
      "No usage comes after an abort, and no call returns it later for chat",
      "drained by default: read on to the usage, for a bounded time",
      [e2e("endings"), "is drained no longer than the endpoint says"],
    ),
    yes("A stored response can be read again", "so it is, and is exact", [
      e2e("responses"),
      "whose stream breaks off is read again",
    ]),
    yes(
      "Aborting stops the bill at some vendors",
      "`on_disconnect: cancel` by endpoint: the socket is closed within 100 ms, the estimate is charged",
      [e2e("aborts"), "cancelled: an estimate within the hold, the vendor closed within 100 ms"],
    ),
    yes("Answers in one piece run to their end", "and are charged whole", [
      e2e("endings"),
      "a client that leaves",
    ]),
  ],
  "The vendor's own books": [
    none(
      "Usage and cost pages of OpenAI, Azure Monitor, Cost Management",
      "not read: `vendor_cost_usd` of each attempt, by endpoint and day, is what to compare them with",
    ),
    none(
      "Batches, images, speech, transcriptions: usage of their own forms",
      "their routes are refused until they are metered",
    ),
  ],
};
