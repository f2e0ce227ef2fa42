import type { RequestDetail } from "../../api/types.ts";
import { isZero } from "../../lib/amount.ts";

const refusals: Readonly<Record<string, string>> = {
  insufficient_funds:
    "The account's available balance did not cover the most it could cost, so the vendor was not called.",
  key_spend_limit: "The key's spend limit was reached, so the vendor was not called.",
  request_rate_limit: "The key's requests per minute were used up, so the vendor was not called.",
  token_rate_limit: "The key's tokens per minute were used up, so the vendor was not called.",
  concurrency_limit: "The key had as many requests running as it may, so the vendor was not called.",
  account_frozen: "The account was frozen, so the vendor was not called.",
};

const ends: Readonly<Record<string, string>> = {
  complete: "The vendor's answer came to its end.",
  client_left: "The client closed the connection before the end.",
  vendor_cut: "The vendor's answer broke off before its end.",
  vendor_error: "The vendor answered with an error.",
  recovered: "The gateway process ended while the request ran; another one took up its hold.",
};

const methods: Readonly<Record<string, string>> = {
  tokenizer: "with the model's own tokenizer",
  cap_reached: "from the output cap, which the answer reached",
  characters: "from the number of characters",
};

/** The request in words: how it ended, who counted its tokens, and what that meant for the charge. */
export function storyOf(request: RequestDetail): string {
  const { state, usage, outcome } = request;
  if (state === "open")
    return "The request runs. Its hold is set aside until the vendor has answered; then the charge is what was used, and the rest comes back.";
  if (state === "refused")
    return (
      refusals[request.refusal ?? ""] ?? "It was refused before the vendor was called; nothing was charged."
    );
  const end = ends[outcome ?? ""] ?? "";
  if (state === "released")
    return `${end} Nothing that the vendor bills was generated, so nothing is charged and the whole hold came back.`;
  return [
    end,
    countedBy(request),
    lossOf(request),
    usage?.bound === "lower_bound" ? "The estimate is a lower bound: the vendor may have billed more." : "",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

function countedBy({ usage, outcome }: RequestDetail): string {
  if (usage?.source === "vendor") {
    return outcome === "client_left"
      ? "The answer was read on to its end at the vendor, which reported the usage: the charge is exact."
      : "The vendor reported the usage: the charge is exact.";
  }
  if (usage?.source !== "estimated") return "";
  return `The vendor reported no usage, so the tokens were counted here ${methods[usage.method ?? ""] ?? ""}: the charge is an estimate.`;
}

const lossOf = ({ loss_usd }: RequestDetail): string =>
  loss_usd === null || isZero(loss_usd)
    ? ""
    : "The vendor billed more than the hold; the customer pays the hold, the rest is the operator's loss.";
