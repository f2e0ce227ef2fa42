import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { columnsOf, csvHead, csvLine } from "./csv.ts";
import { invalid } from "./errors.ts";
import type { Call, ListRoute } from "./route.ts";

type ListQuery = { readonly limit?: number; readonly cursor?: string; readonly format?: "json" | "csv" };
type ListCall = Call<unknown, unknown, unknown>;

/** Rows that a CSV reads at a time; a page of the database, not of the answer. */
const csvPageRows = 500;

/** Answers a list: one page as JSON, or every row as a stream of CSV. */
export async function answerList(route: ListRoute, call: ListCall, reply: FastifyReply): Promise<unknown> {
  const query = call.query as ListQuery;
  const after = query.cursor === undefined ? null : readCursor(query.cursor);
  const wantsCsv =
    query.format === undefined ? acceptsCsv(reply.request.headers.accept) : query.format === "csv";
  if (wantsCsv) {
    reply.type("text/csv; charset=utf-8");
    reply.header("content-disposition", `attachment; filename="${fileName(route.path)}"`);
    return reply.send(Readable.from(csvOf(route, call, { after, most: query.limit ?? null })));
  }
  const limit = query.limit ?? route.limits.usual;
  // One row more tells whether there is a next page.
  const rows = await route.page(call, { after, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map((row) => row.value),
    next_cursor: rows.length > limit && last !== undefined ? writeCursor(last.cursor) : null,
    ...(await route.about?.(call)),
  };
}

async function* csvOf(
  route: ListRoute,
  call: ListCall,
  slice: { readonly after: string | null; readonly most: number | null },
): AsyncGenerator<string> {
  const columns = columnsOf(route.item);
  yield csvHead(columns);
  let after = slice.after;
  let left = slice.most;
  for (;;) {
    const limit = left === null ? csvPageRows : Math.min(csvPageRows, left);
    const rows = await route.page(call, { after, limit });
    if (rows.length > 0) yield rows.map((row) => csvLine(columns, row.value)).join("");
    const last = rows.at(-1);
    if (left !== null) left -= rows.length;
    if (last === undefined || rows.length < limit || left === 0) return;
    after = last.cursor;
  }
}

/** JSON unless CSV is named, and not after JSON. */
function acceptsCsv(accept: string | undefined): boolean {
  const types = (accept ?? "").split(",").map((part) => part.split(";")[0]?.trim().toLowerCase());
  const csv = types.indexOf("text/csv");
  const json = types.indexOf("application/json");
  return csv !== -1 && (json === -1 || csv < json);
}

const fileName = (path: string): string =>
  `tollgate-${path
    .split("/")
    .filter((part) => !/^[{:]|^$/.test(part))
    .join("-")}.csv`;

/** Opaque on purpose: what is inside may change. */
export const writeCursor = (last: string): string => Buffer.from(last, "utf8").toString("base64url");

export function readCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, "base64url");
  const text = bytes.toString("utf8");
  if (text === "" || text.includes("\u0000") || writeCursor(text) !== cursor) throw badCursor();
  return text;
}

export const badCursor = () =>
  invalid(
    "invalid_cursor",
    "Cannot go on from this `cursor`: it is not one that this list gave; send `next_cursor` as it was.",
    "cursor",
  );
