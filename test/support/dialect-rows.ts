/** What vendors do, fact by fact, what Tollgate makes of it, and the test that proves it. Rendered as docs/reference/dialects.md. */
import { billingRows } from "./dialects/billing.ts";
import { clientRows } from "./dialects/client.ts";
import { requestRows } from "./dialects/request.ts";
import type { DialectRows } from "./dialects/row.ts";
import { streamRows } from "./dialects/stream.ts";
import { vendorRows } from "./dialects/vendor.ts";

export const dialectRows: DialectRows = {
  ...streamRows,
  ...vendorRows,
  ...requestRows,
  ...billingRows,
  ...clientRows,
};
