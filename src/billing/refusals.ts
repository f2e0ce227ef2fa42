/** Every way in which administration says no, and what it means. The edge gives each its HTTP status. */
export const refusals = {
  account_not_found: "There is no account with this id.",
  grant_not_found: "There is no credit grant with this id.",
  key_not_found: "There is no key with this id.",
  request_not_found: "There is no request with this id.",
  token_not_found: "There is no admin token with this id.",
  invalid_amount: "The amount is not an exact decimal number of credits above 0 and within bounds.",
  invalid_time: "The time is not in the future.",
  invalid_query: "A query parameter cannot be used.",
  invalid_spend_limit: "A spend limit needs its window, and a window its limit.",
  invalid_price: "The price row lacks something or is not exact.",
  external_id_taken: "Another account has this external id.",
  reference_conflict: "The account has a grant with this reference and other terms.",
  price_exists: "There is a price for this model from this instant on; prices are never edited.",
  key_revoked: "The key was revoked, which is final.",
  not_refundable: "Only a settled request can be refunded.",
  refund_exceeds_charge: "Refunds of a request cannot exceed what it was charged.",
} as const;
export type RefusalCode = keyof typeof refusals;

/** A refusal for whoever asked: `message` says what is so and what to do, `param` names the field at fault. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly param: string | null;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

export const done = <T>(value: T): Outcome<T> => ({ ok: true, value });
export const refuse = (code: RefusalCode, message: string, param: string | null = null): Outcome<never> => ({
  ok: false,
  refusal: { code, message, param },
});

export const accountNotFound = (what: string, id: string): Outcome<never> =>
  refuse(
    "account_not_found",
    `Cannot ${what}: there is no account ${id}; list accounts to find its id.`,
    "account_id",
  );
