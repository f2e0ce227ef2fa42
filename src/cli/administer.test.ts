import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliBench, refusal, runCommand } from "../../test/support/cli.ts";

const account = {
  id: "acc_1",
  name: "acme",
  external_id: "crm-1",
  status: "active",
  is_demo: false,
  balance: { posted: "10.50", held: "0", available: "10.50" },
};

const cli = new CliBench();
const asked = (): readonly string[] =>
  cli.admin.asked.map(
    ({ method, path, body }) => `${method} ${path}${body === null ? "" : ` ${JSON.stringify(body)}`}`,
  );

describe("a list", () => {
  const frozen = {
    ...account,
    id: "acc_22",
    name: "文字",
    external_id: null,
    status: "frozen",
    balance: { posted: "-0.0000125", held: "1", available: "0" },
  };

  test("is a table for people, with amounts as the server wrote them and a dash for what is not known", async () => {
    cli.answers = () => ({ body: { data: [account, frozen], next_cursor: null } });
    expect(await cli.run("accounts list")).toEqual({
      exitCode: 0,
      err: "",
      out: `${[
        "ID      NAME  EXTERNAL ID  STATUS  AVAILABLE  HELD      POSTED  DEMO",
        "acc_1   acme  crm-1        active      10.50     0       10.50",
        "acc_22  文字  —            frozen          0     1  -0.0000125",
      ].join("\n")}\n`,
    });
  });

  test("is JSON Lines for machines, unchanged", async () => {
    cli.answers = () => ({ body: { data: [account, frozen], next_cursor: null } });
    const { out } = await cli.run("accounts list --json");
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([account, frozen]);
  });

  test("goes on over the pages, up to the limit", async () => {
    cli.answers = ({ path }) => ({
      body: { data: [account], next_cursor: path.includes("cursor=c1") ? null : "c1" },
    });
    expect((await cli.run("accounts list --json")).out.split("\n")).toHaveLength(3);
    expect(asked()).toEqual(["GET /accounts?limit=500", "GET /accounts?limit=500&cursor=c1"]);
  });

  test("says what to do when it is empty", async () => {
    cli.answers = () => ({ body: { data: [], next_cursor: null } });
    expect(await cli.run("accounts list")).toEqual({
      exitCode: 0,
      out: "",
      err: "There are no accounts. Make one: tollgate accounts create <name>\n",
    });
  });

  test("takes control characters out of others' texts", async () => {
    cli.answers = () => ({ body: { data: [{ ...account, name: "a\u001b[31mb\nc" }], next_cursor: null } });
    expect((await cli.run("accounts list")).out).toContain("a [31mb c");
  });
});

describe("what commands send", () => {
  test.each<[string, string[]]>([
    [
      "accounts create acme --external-id crm-1 --metadata plan=gold --metadata a=b=c",
      ['POST /accounts {"name":"acme","external_id":"crm-1","metadata":{"plan":"gold","a":"b=c"}}'],
    ],
    ["accounts list --status frozen --limit 3", ["GET /accounts?status=frozen&limit=3"]],
    ["accounts show acc_1", ["GET /accounts/acc_1"]],
    ["accounts freeze acc_1", ['PATCH /accounts/acc_1 {"status":"frozen"}']],
    ["accounts thaw acc_1", ['PATCH /accounts/acc_1 {"status":"active"}']],
    [
      "grants add acc_1 12.50 --kind promotional --priority 10 --expires 2026-12-31 --reference r-1",
      [
        'POST /accounts/acc_1/grants {"amount":"12.50","kind":"promotional","priority":10,"expires_at":"2026-12-31T00:00:00Z","reference":"r-1"}',
      ],
    ],
    ["grants add acc_1 0.000000000001", ['POST /accounts/acc_1/grants {"amount":"0.000000000001"}']],
    ["grants list acc_1", ["GET /accounts/acc_1/grants?limit=500"]],
    ["grants void grt_1 --reason bounced", ['POST /grants/grt_1/void {"reason":"bounced"}']],
    [
      "keys create acc_1 --name ci --model gpt-5 --model gpt-4o --spend-limit 5 --spend-window day --rpm 60 --tpm 1000 --max-concurrent 2 --expires 2027-01-01 --usage-cost",
      [
        'POST /accounts/acc_1/keys {"name":"ci","models":["gpt-5","gpt-4o"],"spend_limit":"5","spend_window":"day","rpm":60,"tpm":1000,"max_concurrent":2,"expires_at":"2027-01-01T00:00:00Z","settings":{"usage_cost":true}}',
      ],
    ],
    ["keys create acc_1", ['POST /accounts/acc_1/keys {"name":"default"}']],
    ["keys list acc_1", ["GET /accounts/acc_1/keys?limit=500"]],
    ["keys rotate key_1 --overlap 60", ['POST /keys/key_1/rotate {"overlap_seconds":60}']],
    ["keys revoke key_1", ["DELETE /keys/key_1"]],
    [
      "requests list --account acc_1 --status client_left --from 2026-11-01 --limit 7",
      ["GET /requests?account=acc_1&status=client_left&from=2026-11-01T00%3A00%3A00Z&limit=7"],
    ],
    ["requests show req_1", ["GET /requests/req_1"]],
    [
      "usage --from 2026-11-01 --bucket hour --tz Europe/Berlin --group-by account,model",
      [
        "GET /usage?from=2026-11-01T00%3A00%3A00Z&bucket=hour&tz=Europe%2FBerlin&group_by=account%2Cmodel&limit=5000",
      ],
    ],
    ["ledger verify", ["GET /ledger/verify"]],
    [
      "ledger export --account acc_1 --to 2026-12-01",
      ["GET /ledger/entries?account=acc_1&to=2026-12-01T00%3A00%3A00Z"],
    ],
    ["prices list --model m --vendor openai", ["GET /prices?model=m&provider=openai&limit=500"]],
    [
      "prices set m --input 0.25 --cached-input 0.025 --output 2.00 --from 2026-12-01 --context-window 400000",
      [
        'POST /prices {"model":"m","from":"2026-12-01T00:00:00Z","input":"0.25","cached_input":"0.025","output":"2.00","context_window":400000}',
      ],
    ],
  ])("%s", async (line, expected) => {
    cli.answers = () => ({ body: { data: [], next_cursor: null, ok: true, checks: [] } });
    expect((await cli.run(line)).exitCode).toBe(0);
    expect(asked()).toEqual(expected);
    for (const { headers, method } of cli.admin.asked) {
      expect(headers.authorization).toBe("Bearer token");
      expect(typeof headers["idempotency-key"]).toBe(method === "POST" ? "string" : "undefined");
    }
  });
});

describe("an account is named", () => {
  test("by its external id", async () => {
    cli.answers = ({ path }) => ({
      body: path.includes("external_id=crm-1") ? { data: [account], next_cursor: null } : account,
    });
    expect((await cli.run("accounts show crm-1 --json")).out).toBe(`${JSON.stringify(account)}\n`);
    expect(asked()).toEqual(["GET /accounts?external_id=crm-1&limit=1", "GET /accounts/acc_1"]);
  });

  test("by its name, when only one has it", async () => {
    let named = [account];
    cli.answers = ({ path }) => ({
      body: path.includes("external_id=")
        ? { data: [], next_cursor: null }
        : path.startsWith("/accounts?")
          ? { data: named, next_cursor: null }
          : account,
    });
    expect((await cli.run("accounts show acme")).exitCode).toBe(0);
    named = [account, { ...account, id: "acc_2" }];
    expect(await cli.run("accounts show acme")).toMatchObject({
      exitCode: 1,
      err: 'Cannot tell which account "acme" is: acc_1, acc_2 have this name; use the id.\n',
    });
    expect(await cli.run("accounts show nobody")).toMatchObject({
      exitCode: 1,
      out: "",
      err: 'Cannot find the account "nobody": there is none with this id or name; list them with `tollgate accounts list`.\n',
    });
  });
});

describe("a new secret", () => {
  test("stands alone on stdout", async () => {
    cli.answers = () => ({ status: 201, body: { id: "key_1", name: "ci", secret: "sk-tg-live-x" } });
    const { out, err } = await cli.run("keys create acc_1 --name ci");
    expect(out).toBe("sk-tg-live-x\n");
    expect(err).toContain("shown only now");
    expect((await cli.run("keys rotate key_1")).out).toBe("sk-tg-live-x\n");
    expect(JSON.parse((await cli.run("keys create acc_1 --json")).out)).toMatchObject({
      secret: "sk-tg-live-x",
    });
  });
});

describe("exports", () => {
  test("ledger export writes the server's CSV as it is, to stdout or to a new file", async () => {
    cli.answers = ({ headers }) => ({
      body: headers.accept === "text/csv" ? "id,amount\n1,0.0000125\n" : {},
    });
    expect((await cli.run("ledger export")).out).toBe("id,amount\n1,0.0000125\n");
    expect(await cli.run("ledger export --output out.csv")).toMatchObject({
      exitCode: 0,
      out: "",
      err: "Wrote out.csv\n",
    });
    expect(readFileSync(join(cli.cwd, "out.csv"), "utf8")).toBe("id,amount\n1,0.0000125\n");
    expect(await cli.run("ledger export --output out.csv")).toMatchObject({
      exitCode: 1,
      err: "Cannot write out.csv: it exists already; name a new file.\n",
    });
  });

  test("ledger export --json writes each entry on its line", async () => {
    cli.answers = () => ({ body: { data: [{ id: "2" }, { id: "1" }], next_cursor: null } });
    expect((await cli.run("ledger export --json")).out).toBe('{"id":"2"}\n{"id":"1"}\n');
  });

  test("usage shows the server's totals, and adds nothing up itself", async () => {
    const sums = {
      requests: 1,
      by_source: { estimated: 0 },
      input: 1,
      cached_input: 0,
      output: 2,
      reasoning: 0,
      charge: "0.1",
      vendor_cost_usd: "0.1",
      loss_usd: "0",
    };
    cli.answers = () => ({
      body: {
        data: [{ bucket: "2026-11-01T00:00:00.000Z", model: "m", ...sums }],
        next_cursor: null,
        totals: { ...sums, charge: "7" },
      },
    });
    const lines = (await cli.run("usage --group-by model")).out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^BUCKET +MODEL +REQUESTS/);
    expect(lines.at(-1)).toMatch(/^total .* 7 /);
  });
});

describe("prices import", () => {
  test("publishes each price, and leaves alone what is known", async () => {
    writeFileSync(
      join(cli.cwd, "p.yaml"),
      "- { model: a, from: 2026-01-01T00:00:00Z, input: 0.10 }\n- { model: b, from: 2026-01-01T00:00:00Z, input: 1 }\n",
    );
    cli.answers = ({ body }) =>
      (body as { model: string }).model === "a"
        ? { status: 409, body: refusal("…", "price_exists") }
        : { status: 201, body: {} };
    const { out, err } = await cli.run("prices import p.yaml");
    expect(out).toBe("Published 1, known already 1.\n");
    expect(err).toBe("a: there is a price from 2026-01-01T00:00:00Z on already; it stays as it is.\n");
    expect(cli.admin.asked[0]?.body).toMatchObject({
      model: "a",
      from: "2026-01-01T00:00:00Z",
      input: "0.10",
    });
  });

  test("checks the whole file first", async () => {
    writeFileSync(
      join(cli.cwd, "p.yaml"),
      "prices:\n  - { model: a, input: 1 }\n  - { model: b, inptu: 1 }\n",
    );
    expect(await cli.run("prices import p.yaml")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('p.yaml:3:17: "inptu" is not a key of prices[1]; did you mean "input"?'),
    });
    writeFileSync(join(cli.cwd, "p.yaml"), "- { model: a, input: 1 }\n");
    expect(await cli.run("prices import p.yaml")).toMatchObject({
      exitCode: 2,
      err: 'Cannot import p.yaml: the price of a has no "from"; say from when it holds.\n',
    });
    expect(cli.admin.asked).toEqual([]);
  });
});

test("requests tail prints each request once, when it has ended, until it is interrupted", async () => {
  const row = (id: number, state: string, at: string) => ({
    id: `req_${id}`,
    state,
    outcome: state === "open" ? null : "complete",
    created_at: at,
    account_id: "acc_1",
  });
  const day = "2026-11-21T10:00:0";
  const looks = [
    [row(2, "open", `${day}2.000Z`), row(1, "settled", `${day}1.000Z`)],
    [row(3, "refused", `${day}3.000Z`), row(2, "open", `${day}2.000Z`), row(1, "settled", `${day}1.000Z`)],
    [row(3, "refused", `${day}3.000Z`), row(2, "settled", `${day}2.000Z`), row(1, "settled", `${day}1.000Z`)],
  ];
  let look = 0;
  cli.answers = () => ({ body: { data: looks[Math.min(look++, looks.length - 1)], next_cursor: null } });
  const interruption = new AbortController();
  const onOut = (out: string): void => {
    if (out.split("\n").length === 4) interruption.abort();
  };
  const options = {
    env: { TOLLGATE_URL: cli.admin.url, TOLLGATE_ADMIN_TOKEN: "t" },
    cwd: cli.cwd,
    signal: interruption.signal,
    onOut,
  };
  const { exitCode, out } = await runCommand(["requests", "tail", "--json", "--interval-ms", "100"], options);
  expect(exitCode).toBe(130);
  expect(
    out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).id),
  ).toEqual(["req_1", "req_3", "req_2"]);
  expect(cli.admin.asked[1]?.path).toBe("/requests?from=2026-11-21T09%3A59%3A02.000Z&limit=500");
});
