/**
 * The attacks that Tollgate is held against, and where each is tried. A test belongs to a row when its name starts with
 * `row N:`. docs/security.md shows this table; test/hostile/rows.test.ts keeps the two together.
 */
export interface HostileRow {
  readonly number: number;
  readonly attack: string;
  readonly answer: string;
  /** The file under test/hostile/ whose tests are named after the row, or why there is nothing to try yet. */
  readonly test: { readonly file: string } | { readonly notYet: string };
}

const row = (number: number, attack: string, answer: string, file: string): HostileRow => ({
  ...{ number, attack, answer },
  test: { file: `${file}.test.ts` },
});
const notYet = (number: number, attack: string, answer: string, why: string): HostileRow => ({
  ...{ number, attack, answer },
  test: { notYet: why },
});

export const rows: readonly HostileRow[] = [
  row(
    1,
    "The same name twice in a body, at any depth, also escaped",
    "400 `duplicate_key`; no vendor call, no hold",
    "parsing",
  ),
  row(
    2,
    "A name that only looks like a billing field: case, Unicode look-alikes",
    "400 `ambiguous_key`",
    "parsing",
  ),
  row(3, "`__proto__`, `constructor` and the like as names and values", "400, or passed on inert", "parsing"),
  row(
    4,
    '`n` = 128, "5", 1e1, −1, 0, 2⁵³+1, null',
    "plain digits from 1 to 128 only; the hold is n times as large",
    "fields",
  ),
  row(5, "`best_of` greater than `n`", "the hold covers `best_of` answers for each prompt", "fields"),
  row(
    6,
    "Conflicting, absent or huge output caps",
    "400, or a cap of ours; the hold covers the vendor's worst case",
    "fields",
  ),
  row(
    7,
    "A service tier the operator has not enabled, or another tier served than asked for",
    "400; billed by the tier that served",
    "fields",
  ),
  row(
    8,
    "`include_usage` false, null or of a wrong type",
    "usage is asked for all the same and hidden from the client",
    "fields",
  ),
  row(
    9,
    "Hosted tools without permission; many calls",
    "400; calls are counted, at most `max_tool_calls` fit the hold",
    "fields",
  ),
  row(
    10,
    "Stored objects of another account: responses, conversations, prompts, files",
    "404 or 400; no vendor call",
    "fields",
  ),
  row(
    11,
    "A stored response of one's own with a large hidden input",
    "held at the context window, charged as used",
    "fields",
  ),
  row(
    12,
    "Model names with blanks, NUL, homoglyphs, prefixes, `../`",
    "404 unless equal to a name of the catalogue; the vendor's path is built from the catalogue",
    "parsing",
  ),
  row(
    13,
    "A model without a price, or with one that is not in force yet",
    "400 `model_not_priced` before any vendor call",
    "money",
  ),
  row(14, "The price changes between hold and settlement", "the price at the hold applies", "money"),
  row(
    15,
    "Thousands of concurrent requests for the last cent, over several processes",
    "exactly the affordable number is admitted",
    "money",
  ),
  row(16, "The client leaves after any number of bytes", "what the vendor billed is charged", "money"),
  row(17, "The same `Idempotency-Key` with the same body", "the first result again, one charge", "repeats"),
  row(
    18,
    "The same `Idempotency-Key` with another body, route or account",
    "422, 422, independent",
    "repeats",
  ),
  row(
    19,
    "Another account's `Idempotency-Key`, to read its answer",
    "keys are separate by account",
    "repeats",
  ),
  notYet(
    20,
    "Forged or replayed payment webhooks",
    "no credit; the endpoint is absent without a secret",
    "no payment processor is connected: credit comes from the admin API only",
  ),
  row(21, "The same top-up twice, a hundred times at once", "one grant for each reference", "repeats"),
  row(22, "Refund, void, spend and settle at once", "never negative; nothing is lost or made", "money"),
  row(23, "Negative, fractional, huge amounts on every route that takes one", "400", "admin"),
  row(
    24,
    "Ids of another account on every self-service route",
    "answered exactly as unknown ids",
    "identity",
  ),
  row(25, "Every admin route with customers' keys, no token, too small a role", "401 or 403", "admin"),
  row(
    26,
    "Fields that are not the caller's to set: role, balance, account, price",
    "400 `unknown_field`",
    "admin",
  ),
  row(
    27,
    "Guessing keys, and learning from the time an answer takes",
    "one answer for all; a malformed key never reaches the database",
    "identity",
  ),
  row(28, "SQL in headers, queries, paths and bodies", "bound parameters; nothing is executed", "admin"),
  row(29, "Wildcards and regular-expression bombs in filters", "taken literally; bounded time", "admin"),
  row(
    30,
    "Host, absolute form, double slashes, encoded paths",
    "the matched route decides; everything else is 404 or 400",
    "wire",
  ),
  row(
    31,
    "Request smuggling: CL+TE, two lengths, odd chunking, bare LF",
    "400 and the connection is closed; never two requests out of one",
    "wire",
  ),
  row(32, "Client headers meant for the vendor", "the vendor sees headers made from scratch", "wire"),
  row(
    33,
    "`base_url`, `api_base`, custom hosts in header, query and body",
    "no effect; the vendor's host is the operator's",
    "wire",
  ),
  row(
    34,
    "Addresses in content: images, files, tool servers",
    "Tollgate fetches nothing on a client's behalf",
    "wire",
  ),
  row(
    35,
    "Slow headers, slow bodies, slow readers, idle connections",
    "timeouts, bounded memory, others unaffected",
    "load",
  ),
  row(
    36,
    "Huge, compressed, deeply nested bodies, a million chunks",
    "413, 415 or 400; the event loop goes on; strangers' bytes are not kept",
    "load",
  ),
  row(
    37,
    "A compressed answer from the vendor: a bomb, a chain, broken",
    "never asked for; one layer is undone at the reader's pace, within the limits of plain answers; else an error",
    "vendor",
  ),
  row(
    38,
    "Absurd usage: negative, text, 10¹⁸, parts larger than the whole, twice, after the end",
    "the last one that can be true, else an estimate; never above the hold",
    "vendor",
  ),
  row(
    39,
    "Surplus bytes after the vendor's answer",
    "the socket is destroyed; the next customer is unaffected",
    "vendor",
  ),
  row(40, "The vendor redirects to another host", "an error; the key is not sent there", "vendor"),
  row(
    41,
    "Line breaks in model output, model name, error text, request id",
    "one event stays one event; headers have no line breaks",
    "vendor",
  ),
  row(
    42,
    "Prompts and keys in logs, metrics, errors, crash output, the database",
    "canary texts never appear",
    "secrets",
  ),
  row(43, "The vendor's error shows the operator's key", "the key is taken out", "secrets"),
  row(
    44,
    "Cross-site requests and framing of the console",
    "refused by Sec-Fetch-Site or Origin; `frame-ancestors 'none'`",
    "console",
  ),
  row(
    45,
    "Scripts in account names, key names and model output",
    "data, never markup: JSON, and a strict content policy",
    "console",
  ),
  row(
    46,
    "Session fixation, stolen cookies, logout",
    "a new session at each login; ended at the server",
    "console",
  ),
  row(
    47,
    "A revoked or expired key within the cache window",
    "no hold at once, no read after 1 s, in every process",
    "identity",
  ),
  row(48, "A client's Date header, a gateway whose clock is wrong", "the database's clock decides", "clocks"),
  row(
    49,
    "Credit for free: sign-ups, promotional grants claimed twice",
    "customers cannot make accounts, keys or grants",
    "identity",
  ),
  row(
    50,
    "Crash loops, to free holds early or to leak them",
    "holds outlive the process and are settled once",
    "crash",
  ),
  row(51, "A second process on the embedded database's directory", "refused", "crash"),
  row(
    52,
    "UPDATE and DELETE of ledger entries",
    "refused by the database; found by the proof when forced",
    "admin",
  ),
  row(53, "Vendor routes that are not metered", "404; never passed on", "wire"),
  row(54, "WebSocket and h2c upgrades, CONNECT", "refused", "wire"),
  notYet(
    55,
    "Probing other accounts' prompt cache",
    "cache keys separate by account",
    "`prompt_cache_key` is passed on as sent; see what is not promised",
  ),
  row(
    56,
    "A tampered or malicious dependency",
    "lockfile with integrity, no install scripts, few packages, each with its reason",
    "supply",
  ),
  row(57, "Secrets in start-up output, health answers and `config show`", "hidden", "secrets"),
  row(58, "Administration without a trace", "every write leaves an audit record with its actor", "admin"),
  row(
    59,
    "A crafted request that would teach a deployment a wrong lesson, for everybody",
    "a lesson is kept only when the request went through with it",
    "vendor",
  ),
  row(
    60,
    "A stream, a line or an error page of the vendor that never ends",
    "bounded memory and time; the charge is at most the hold",
    "vendor",
  ),
  row(
    61,
    "Random and mutated bytes for every parser",
    "no crash, nothing read out of bounds, no stall over 50 ms",
    "fuzz",
  ),
  row(
    62,
    "A key's limits, tried at several processes at once",
    "decided with the hold, so they hold in sum",
    "limits",
  ),
  row(
    63,
    "A stolen copy of the database, a typo in a key",
    "only SHA-256 of keys at rest; a checksum refuses typos without a lookup",
    "identity",
  ),
];

export const isApplicable = (row: HostileRow): row is HostileRow & { test: { file: string } } =>
  "file" in row.test;

/** `row 7:`, how the names of its tests begin. */
export const prefixOf = (one: Pick<HostileRow, "number">): string => `row ${one.number}:`;
