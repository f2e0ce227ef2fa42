/** What no amount of money may look like, on every route and command that takes one: refused by the field's name, nothing written. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WriteRoute } from "../../src/admin/route.ts";
import { adminRoutes } from "../../src/admin/routes/all.ts";
import type { Db } from "../../src/store/db.ts";
import { type AdminClient, openAdmin, ownerToken } from "../support/admin.ts";
import { refusalOf } from "../support/admin-answers.ts";
import type { Books } from "../support/books.ts";
import { makeBusy } from "../support/busy.ts";
import { runCommand } from "../support/cli.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

type Body = Record<string, unknown>;
/** A route, the field that takes an amount, and a body that is right but for it. */
type Place = readonly [method: "POST" | "PATCH", path: string, field: string, body: (bad: unknown) => Body];

const tokenKinds = [
  "cached_input",
  "cache_write",
  "audio_input",
  "cached_audio_input",
  "image_input",
  "output",
  "audio_output",
];
const priced = (more: Body): Body => ({ model: "odd", input: "1", output: "1", ...more });
const places: readonly Place[] = [
  ["POST", "/accounts/acc_a/grants", "amount", (bad) => ({ amount: bad })],
  ["POST", "/requests/req_01/refunds", "amount", (bad) => ({ amount: bad, reason: "x" })],
  [
    "POST",
    "/accounts/acc_a/keys",
    "spend_limit",
    (bad) => ({ name: "k", spend_window: "day", spend_limit: bad }),
  ],
  ["PATCH", "/keys/key_b", "spend_limit", (bad) => ({ spend_window: "day", spend_limit: bad })],
  ["POST", "/endpoints/azure-east/probe", "max_cost_usd", (bad) => ({ max_cost_usd: bad })],
  ["POST", "/prices", "input", (bad) => priced({ input: bad })],
  ...tokenKinds.map((kind): Place => ["POST", "/prices", kind, (bad) => priced({ [kind]: bad })]),
  ["POST", "/prices", "tiers.0.output", (bad) => priced({ tiers: [{ above_input_tokens: 9, output: bad }] })],
  [
    "POST",
    "/prices",
    "service_tiers.flex.input",
    (bad) => priced({ service_tiers: { flex: { input: bad } } }),
  ],
  [
    "POST",
    "/prices",
    "service_tiers.flex.tiers.0.input",
    (bad) =>
      priced({ service_tiers: { flex: { input: "1", tiers: [{ above_input_tokens: 9, input: bad }] } } }),
  ],
  ...["web_search", "file_search", "code_interpreter"].map(
    (kind): Place => ["POST", "/prices", `fees.${kind}`, (bad) => priced({ fees: { [kind]: bad } })],
  ),
];

const odd: readonly unknown[] = [
  ...["-1", "-0.000001", "0.0000000000001", `0.${"0".repeat(40)}1`, "9".repeat(31), "9".repeat(300)],
  ...[
    "",
    " 1",
    "1 ",
    "+1",
    "1.",
    ".5",
    "01",
    "1e3",
    "1E-2",
    "0x10",
    "1,5",
    "1_000",
    "NaN",
    "Infinity",
    "١",
    "1\u0000",
  ],
  ...[1, -1, 1.5, 1e300, true, [], ["1"], {}, { usd: "1" }],
];

/** Writes that take no amount; what else they refuse is tested with them. A new route has to be put here or above. */
const withoutMoney = new Set([
  "POST /accounts",
  "PATCH /accounts/{id}",
  "POST /grants/{id}/void",
  "POST /keys/{id}/rotate",
  "DELETE /keys/{id}",
  "POST /tokens",
  "DELETE /tokens/{id}",
  "POST /accounts/{id}/portal-tokens",
  "POST /login-links",
]);
const writes = adminRoutes.filter((route): route is WriteRoute => route.kind === "write");

test("every route that writes is here, as one that takes money or as one that does not", () => {
  const here = new Set(places.map(([method, path]) => routeOf(method, path)));
  expect(
    writes
      .map(({ method, path }) => `${method} ${path}`)
      .filter((name) => !withoutMoney.has(name) && !here.has(name)),
  ).toEqual([]);
});

const routeOf = (method: string, path: string): string => {
  const found = writes.find(
    (one) => one.method === method && new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
  return found === undefined ? `none for ${path}` : `${found.method} ${found.path}`;
};

describe.each(databaseKinds)("on %s", (kind) => {
  let db: Db;
  let books: Books;
  let admin: AdminClient;
  beforeAll(async () => {
    db = await newDatabase(kind);
    books = await makeBusy(db);
    admin = openAdmin(db);
  });
  afterAll(async () => {
    await admin.app.close();
    await books.ledger.close();
    await db.close();
  });

  test.each(places.map((place) => [`${place[0]} ${place[1]} ${place[2]}`, place] as const))(
    "%s refuses what is no amount, by the field's name, and writes nothing",
    async (_name, [method, path, field, body]) => {
      const before = await everything(db);
      const wrong: string[] = [];
      for (const bad of odd) {
        const answer = await admin.call(method, path, { body: body(bad) });
        // Of a list or an object the part that is wrong may be named.
        const { param } = answer.json?.error ?? {};
        const isNamed = param === field || (typeof bad === "object" && String(param).startsWith(`${field}.`));
        if (answer.status !== 400 || !isNamed) wrong.push(`${JSON.stringify(bad)}: ${refusalOf(answer)}`);
      }
      const unknown = await admin.call(method, path, { body: { ...body("1"), surprise: "1" } });
      if (refusalOf(unknown) !== "400 unknown_field surprise")
        wrong.push(`unknown field: ${refusalOf(unknown)}`);
      expect(wrong).toEqual([]);
      expect(await everything(db)).toEqual(before);
    },
  );

  test("a void takes a reason that is text, and nothing else", async () => {
    const before = await everything(db);
    for (const [body, refusal] of [
      [{ reason: 5 }, "400 invalid_field reason"],
      [{ reason: "" }, "400 invalid_field reason"],
      [{ amount: "1" }, "400 unknown_field amount"],
    ] as const)
      expect(refusalOf(await admin.call("POST", "/grants/grt_a1/void", { body }))).toBe(refusal);
    expect(await everything(db)).toEqual(before);
  });
});

describe("the command line", () => {
  let db: Db;
  let books: Books;
  let admin: AdminClient;
  let url = "";
  const home = mkdtempSync(join(tmpdir(), "tollgate-bad-input-"));
  beforeAll(async () => {
    db = await newDatabase("postgres");
    books = await makeBusy(db);
    admin = openAdmin(db);
    await admin.app.listen({ host: "127.0.0.1", port: 0 });
    url = `http://127.0.0.1:${(admin.app.server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await admin.app.close();
    await books.ledger.close();
    await db.close();
    rmSync(home, { recursive: true });
  });

  const commands: ReadonlyArray<
    readonly [what: string, argv: (bad: string) => readonly string[], named: RegExp]
  > = [
    ["grants add", (bad) => ["grants", "add", "acc_a", "--", bad], /amount/],
    [
      "keys create",
      (bad) => ["keys", "create", "acc_a", "--spend-window", "day", `--spend-limit=${bad}`],
      /spend[_-]limit/,
    ],
    ...(["input", "cached-input", "cache-write", "output"] as const).map(
      (name) =>
        [
          `prices set --${name}`,
          (bad: string) => [
            "prices",
            "set",
            "odd",
            ...(name === "input" ? [] : ["--input=1"]),
            `--${name}=${bad}`,
          ],
          new RegExp(name.replace("-", "[_-]")),
        ] as const,
    ),
    [
      "prices import",
      (bad) => {
        writeFileSync(
          join(home, "prices.yaml"),
          `- { model: odd, input: "1", output: ${JSON.stringify(bad)} }\n`,
        );
        return ["prices", "import", "prices.yaml"];
      },
      /output/,
    ],
  ];
  const texts = odd.filter((one): one is string => typeof one === "string" && !one.includes("\u0000"));

  test.each(commands)(
    "%s refuses what is no amount, by its name, and nothing is written",
    async (_what, argv, named) => {
      const before = await everything(db);
      const wrong: string[] = [];
      for (const bad of texts) {
        const ran = await runCommand(argv(bad), {
          cwd: home,
          env: { TOLLGATE_URL: url, TOLLGATE_ADMIN_TOKEN: ownerToken },
        });
        if (ran.exitCode === 0 || ran.out !== "" || !named.test(ran.err))
          wrong.push(`${JSON.stringify(bad)}: ${ran.exitCode} ${ran.out}${ran.err}`);
      }
      expect(wrong).toEqual([]);
      expect(await everything(db)).toEqual(before);
    },
  );
});

/** All that money rests on, and every trace that a change leaves. */
async function everything(db: Db): Promise<unknown> {
  const all: Record<string, unknown> = {};
  for (const table of [
    "balances",
    "grants",
    "keys",
    "entries",
    "price_rows",
    "audit_log",
    "transaction_notes",
    "idempotency",
    "requests",
  ])
    all[table] = await db.query(
      `select count(*) as rows, coalesce(sum(hashtextextended(x::text, 0)::numeric), 0)::text as digest from ${table} x`,
    );
  return all;
}
