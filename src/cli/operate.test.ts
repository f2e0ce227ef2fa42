import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Ran, runCommand } from "../../test/support/cli.ts";
import { lockDirectory } from "../store/directory-lock.ts";
import { openPglite } from "../store/pglite.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tollgate-operate-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (line: string, env: Record<string, string> = {}): Promise<Ran> =>
  runCommand(line.split(" "), { env, cwd });
const write = (text: string): void => writeFileSync(join(cwd, "tollgate.yaml"), text);

describe("config", () => {
  const right =
    "endpoints: { e: { kind: openai, base_url: http://x/v1, api_key: hunter2 } }\nmodels: { m: { deployments: [{ endpoint: e, deployment: d }] } }\n";

  test("check says what it read", async () => {
    expect(await run("config check")).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("demo mode"),
    });
    write(right);
    expect(await run("config check")).toEqual({
      exitCode: 0,
      err: "",
      out: "tollgate.yaml is right: 1 endpoint, 1 model.\n",
    });
    expect(JSON.parse((await run("config check --json")).out)).toEqual({
      ok: true,
      file: "tollgate.yaml",
      demo: false,
      endpoints: 1,
      models: 1,
    });
  });

  test("check names every mistake, and exits with 2", async () => {
    write("server: { prot: 1 }\nmarkup: much\n");
    expect(await run("config check")).toEqual({
      exitCode: 2,
      out: "",
      err: [
        "Cannot use the configuration: there are 2 problems; correct what is listed and try again.",
        '  tollgate.yaml:1:11: "prot" is not a key of server; did you mean "port"?',
        '  tollgate.yaml:2:9: markup must be decimal text like "1.20", not "much"',
        "",
      ].join("\n"),
    });
  });

  test("an OpenAI key alone gives every priced model", async () => {
    const { out } = await run("config check --json", { OPENAI_API_KEY: "sk-x" });
    expect(JSON.parse(out)).toMatchObject({ demo: false, endpoints: 1, file: null });
    expect(JSON.parse(out).models).toBeGreaterThan(50);
  });

  test("show prints values with their origin, and no secret", async () => {
    write(right);
    const { out } = await run("config show --origin", { PORT: "9001" });
    expect(out).toContain("port: 9001 # environment variable PORT");
    expect(out).toContain("deployment: d # tollgate.yaml:2:57");
    expect(out + (await run("config show --json")).out).not.toContain("hunter2");
  });

  test("schema is JSON Schema", async () => {
    expect(JSON.parse((await run("config schema")).out)).toMatchObject({
      $schema: expect.stringContaining("draft-07"),
      type: "object",
      additionalProperties: false,
    });
  });
});

describe("migrate", () => {
  test("tells what is pending without making a database, then applies it once", async () => {
    const pending = await run("migrate --check --json");
    expect(pending.exitCode).toBe(3);
    expect(JSON.parse(pending.out).pending.length).toBeGreaterThan(2);
    expect(existsSync(join(cwd, "tollgate-data"))).toBe(false);
    expect((await run("migrate")).exitCode).toBe(0);
    expect(await run("migrate")).toEqual({ exitCode: 0, err: "", out: "The schema is up to date.\n" });
    expect((await run("migrate --check")).exitCode).toBe(0);
  });

  test("works on PostgreSQL, and exits with 5 when there is none", async () => {
    const url = new URL(inject("postgresUrl"));
    const gone = `postgres://u:hunter2@127.0.0.1:1/none`;
    const missed = await run("migrate", { DATABASE_URL: gone });
    expect(missed).toMatchObject({
      exitCode: 5,
      out: "",
      err: expect.stringContaining("Cannot reach PostgreSQL"),
    });
    expect(missed.err).not.toContain("hunter2");
    expect((await run("migrate --check", { DATABASE_URL: url.href })).exitCode).toBe(3);
  });
});

describe("backup and restore", () => {
  // One database for these, because making it takes the most time; each test leaves the account "before" in it.
  let home = "";
  const inHome = (line: string): Promise<Ran> => runCommand(line.split(" "), { cwd: home });
  const query = async (sql: string): Promise<unknown> => {
    const db = await openPglite(join(home, "tollgate-data"));
    try {
      return await db.query(sql);
    } finally {
      await db.close();
    }
  };
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "tollgate-backup-"));
    await inHome("migrate");
    await query("insert into accounts (id, name) values ('acc_1', 'before')");
  });
  afterAll(() => rmSync(home, { recursive: true }));

  test("a backup brings the data back, and what was there is kept", async () => {
    const made = await inHome("backup --output saved.tar.gz --json");
    expect(made).toMatchObject({ exitCode: 0, err: "" });
    expect(JSON.parse(made.out)).toMatchObject({ file: join(home, "saved.tar.gz") });
    expect(statSync(join(home, "saved.tar.gz")).mode & 0o777).toBe(0o600);
    await query("insert into accounts (id, name) values ('acc_2', 'after')");

    expect(await inHome("restore saved.tar.gz")).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining("add --replace"),
    });
    const restored = await inHome("restore saved.tar.gz --replace --json");
    expect(restored).toMatchObject({ exitCode: 0, err: "" });
    expect(await query("select name from accounts")).toEqual([{ name: "before" }]);

    const { previous } = JSON.parse(restored.out) as { previous: string };
    expect(readdirSync(join(home, "tollgate-data")).filter((name) => name.startsWith("restoring"))).toEqual(
      [],
    );
    expect(existsSync(join(previous, "PG_VERSION"))).toBe(true);
  });

  test("neither goes on while a server has the database, and a backup overwrites nothing", async () => {
    writeFileSync(join(home, "there.tar.gz"), "mine");
    expect(await inHome("backup --output there.tar.gz")).toEqual({
      exitCode: 1,
      out: "",
      err: "Cannot write there.tar.gz: it exists already; name a new file.\n",
    });
    expect(readFileSync(join(home, "there.tar.gz"), "utf8")).toBe("mine");
    const lock = await lockDirectory(join(home, "tollgate-data"));
    const inUse = { exitCode: 1, err: expect.stringContaining("another Tollgate process is using it") };
    expect(await inHome("backup --output new.tar.gz")).toMatchObject(inUse);
    writeFileSync(join(home, "looks-right.tar.gz"), Buffer.from([0x1f, 0x8b]));
    expect(await inHome("restore looks-right.tar.gz --replace")).toMatchObject(inUse);
    await lock.release();
    expect(existsSync(join(home, "new.tar.gz"))).toBe(false);
  });

  test("what is no backup is refused, and nothing is replaced", async () => {
    writeFileSync(join(home, "text.txt"), "hello");
    writeFileSync(join(home, "broken.tar.gz"), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]));
    expect(await inHome("restore text.txt --replace")).toMatchObject({
      exitCode: 1,
      err: "Cannot restore text.txt: it is no file that `tollgate backup` made.\n",
    });
    expect(await inHome("restore broken.tar.gz --replace")).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining("Cannot restore broken.tar.gz"),
    });
    expect(await query("select name from accounts")).toEqual([{ name: "before" }]);
  });

  test("PostgreSQL has its own tools: the command is given, without the password", async () => {
    expect(await run("backup", { DATABASE_URL: "postgres://u:hunter2@db/x" })).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('pg_dump --format=custom --file=tollgate.dump "$DATABASE_URL"'),
    });
    write("store: postgres://u:hunter2@db/x\n");
    const { err } = await run("restore x.dump");
    expect(err).toContain("pg_restore --clean --if-exists --dbname='postgres://u@db/x' tollgate.dump");
    expect(err).not.toContain("hunter2");
  });
});

describe("simulate", () => {
  test("answers like the vendor until it is interrupted, and keeps its bill", async () => {
    const interruption = new AbortController();
    const bills: unknown[] = [];
    const onOut = async (out: string): Promise<void> => {
      const { url, bill } = JSON.parse(out) as { url: string; bill: string };
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: "Bearer x", "content-type": "application/json" },
        body: JSON.stringify({ model: "blue", messages: [{ role: "user", content: "hi" }] }),
      });
      await answer.text();
      bills.push(answer.status, await (await fetch(bill)).json());
      interruption.abort();
    };
    const argv = "simulate --port 0 --profile openai --seed 7 --deployment blue=gpt-4o-mini --json".split(
      " ",
    );
    const { exitCode, err } = await runCommand(argv, {
      cwd,
      signal: interruption.signal,
      onOut: (out) => void onOut(out),
    });
    expect({ exitCode, err }).toEqual({ exitCode: 130, err: "" });
    expect(bills[0]).toBe(200);
    expect(JSON.stringify(bills[1])).toContain("gpt-4o-mini");
  });

  test("refuses what it cannot do", async () => {
    expect(await run("simulate --profile nobody")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("Allowed choices are"),
    });
    expect(await run("simulate --fault-rate 2")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("Write a share from 0 to 1"),
    });
    expect(await run("simulate --fault earthquake")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("There is no such fault"),
    });
    expect(await run("simulate --port 0 --deployment a=gpt-99")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("Cannot start the simulator"),
    });
  });
});

describe("doctor", () => {
  const checks = async (env: Record<string, string> = {}): Promise<Record<string, string>> => {
    const { out } = await run("doctor --json", { TOLLGATE_URL: "http://127.0.0.1:1", ...env });
    return Object.fromEntries(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
        .map(({ name, result }) => [name, result]),
    );
  };

  test("finds nothing wrong with nothing configured", async () => {
    expect(await checks()).toEqual({
      node: "fine",
      configuration: "open",
      "data directory": "open",
      "embedded database": "open",
      server: "open",
    });
    expect((await run("doctor", { TOLLGATE_URL: "http://127.0.0.1:1" })).exitCode).toBe(0);
  });

  test("names a model without a price, an endpoint that is not there, and a broken file", async () => {
    write(
      "endpoints: { e: { kind: openai, base_url: http://127.0.0.1:1/v1, api_key: none } }\nmodels: { m: { deployments: [{ endpoint: e, deployment: d }] } }\n",
    );
    expect(await checks()).toMatchObject({ configuration: "fine", prices: "wrong", "endpoint e": "wrong" });
    write("sever: 1\n");
    expect(await run("doctor", { TOLLGATE_URL: "http://127.0.0.1:1" })).toMatchObject({
      exitCode: 3,
      out: expect.stringContaining("did you mean"),
    });
  });
});

describe("the front door", () => {
  test("gives the overview without arguments, and each command's help with examples", async () => {
    const overview = await run("--help");
    expect(overview).toMatchObject({ exitCode: 0, err: "" });
    expect((await runCommand([], { cwd })).out).toBe(overview.out);
    for (const name of [
      "serve",
      "demo",
      "accounts",
      "grants",
      "keys",
      "requests",
      "usage",
      "ledger",
      "prices",
      "simulate",
      "migrate",
      "config",
      "backup",
      "restore",
      "doctor",
    ]) {
      expect(overview.out).toMatch(new RegExp(`^ {2}${name} `, "m"));
      expect(await run(`${name} --help`)).toMatchObject({
        exitCode: 0,
        err: "",
        out: expect.stringContaining(`Usage: tollgate ${name}`),
      });
    }
    expect((await run("keys create --help")).out).toMatch(/--json[\s\S]*Examples:\n {2}tollgate keys create/);
    expect((await run("help keys")).out).toContain("create [options] <account>");
    expect((await run("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
