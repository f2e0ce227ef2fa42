import type { Outcome, RefusalCode } from "../billing/refusals.ts";

/** An answer in OpenAI's error envelope, thrown so that the transaction around it is rolled back. */
export class AdminError extends Error {
  override readonly name = "AdminError";
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;
  constructor(answer: {
    status: number;
    code: string;
    message: string;
    type?: string;
    param?: string | null;
    headers?: Readonly<Record<string, string>>;
  }) {
    super(answer.message);
    this.status = answer.status;
    this.type = answer.type ?? (answer.status >= 500 ? "server_error" : "invalid_request_error");
    this.code = answer.code;
    this.param = answer.param ?? null;
    this.headers = answer.headers ?? {};
  }
}

export const invalid = (code: string, message: string, param: string | null): AdminError =>
  new AdminError({ status: 400, code, message, param });

/** The compiler demands a status for every refusal of the billing stories. */
export const refusalStatuses: Readonly<Record<RefusalCode, number>> = {
  account_not_found: 404,
  grant_not_found: 404,
  key_not_found: 404,
  request_not_found: 404,
  token_not_found: 404,
  invalid_amount: 400,
  invalid_time: 400,
  invalid_query: 400,
  invalid_spend_limit: 400,
  invalid_price: 400,
  external_id_taken: 409,
  reference_conflict: 409,
  price_exists: 409,
  key_revoked: 409,
  not_refundable: 409,
  refund_exceeds_charge: 400,
};

/** The value of an outcome; a refusal becomes its answer. */
export function accepted<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  const { code, message, param } = outcome.refusal;
  throw new AdminError({ status: refusalStatuses[code], code, message, param });
}

export const errorBody = (error: Pick<AdminError, "message" | "type" | "param" | "code">) => ({
  error: { message: error.message, type: error.type, param: error.param, code: error.code },
});
