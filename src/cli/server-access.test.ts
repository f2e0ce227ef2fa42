import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliBench, refusal, startFakeAdmin } from "../../test/support/cli.ts";

const cli = new CliBench();
describe("exit codes", () => {
  test("1 and the server's own message when it refuses", async () => {
    cli.answers = () => ({ status: 409, body: refusal("Cannot publish it: there is one.", "price_exists") });
    expect(await cli.run("prices set m --input 1")).toEqual({
      exitCode: 1,
      out: "",
      err: "Cannot publish it: there is one.\n",
    });
  });

  test("1 when the answer is not ours", async () => {
    cli.answers = () => ({ status: 502, body: "<html>bad gateway</html>" });
    expect(await cli.run("accounts list")).toMatchObject({
      exitCode: 1,
      err: `Cannot ask ${cli.admin.url}: it answered 502; is this a Tollgate server?\n`,
    });
    cli.answers = () => ({ body: "<html>hello</html>" });
    expect(await cli.run("accounts list")).toMatchObject({
      exitCode: 1,
      err: `Cannot read the answer of ${cli.admin.url}: it is no JSON; is this a Tollgate server?\n`,
    });
  });

  test("2 for wrong usage, with help on the way", async () => {
    expect(await cli.run("accounts lst")).toMatchObject({
      exitCode: 2,
      out: "",
      err: expect.stringContaining("(Did you mean list?)"),
    });
    expect(await cli.run("acounts list")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("(Did you mean accounts?)"),
    });
    expect(await cli.run("accounts list --stats active")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("(Did you mean --status?)"),
    });
    expect(await cli.run("keys create acc_1 --rpm many")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("Write a whole number from 1 to 2000000000."),
    });
    expect(await cli.run("grants add acc_1 1 --expires tomorrow")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("Write a day or a time with its zone."),
    });
    expect(await cli.run("accounts")).toMatchObject({ exitCode: 2, out: "" });
    expect(await cli.run("accounts list", { TOLLGATE_URL: "nonsense" })).toMatchObject({ exitCode: 2 });
    expect(cli.admin.asked).toEqual([]);
  });

  test("3 when the ledger breaks an invariant, which is named", async () => {
    const checks = [
      {
        name: "posted_equals_entries",
        description: "…",
        ok: true,
        checked: 3,
        first_bad: null,
        duration_ms: 1,
      },
      {
        name: "never_below_zero",
        description: "…",
        ok: false,
        checked: 3,
        first_bad: { account_id: "acc_1", posted: "-1" },
        duration_ms: 1,
      },
    ];
    cli.answers = () => ({ body: { ok: false, checks } });
    const { exitCode, out, err } = await cli.run("ledger verify");
    expect({ exitCode, err }).toEqual({ exitCode: 3, err: "The ledger breaks an invariant.\n" });
    expect(out).toMatch(/never_below_zero +BROKEN/);
    expect(out).toContain("First row that breaks never_below_zero:\n  account_id  acc_1\n  posted      -1\n");
    expect(JSON.parse((await cli.run("ledger verify --json")).out)).toEqual({ ok: false, checks });
  });

  test("4 when the token is wrong or missing", async () => {
    cli.answers = () => ({ status: 401, body: refusal("Unknown admin token.", "invalid_token") });
    expect(await cli.run("accounts list")).toMatchObject({
      exitCode: 4,
      err: `Not authorised at ${cli.admin.url}: Unknown admin token. Check TOLLGATE_ADMIN_TOKEN.\n`,
    });
    expect(await cli.run("accounts list", { TOLLGATE_ADMIN_TOKEN: "" })).toMatchObject({
      exitCode: 4,
      err: expect.stringContaining("there is no admin token"),
    });
  });

  test("5 when nobody is there, whether there is a token or not", async () => {
    const gone = await startFakeAdmin(() => ({ body: {} }));
    await gone.close();
    for (const TOLLGATE_ADMIN_TOKEN of ["token", ""]) {
      expect(await cli.run("accounts list", { TOLLGATE_URL: gone.url, TOLLGATE_ADMIN_TOKEN })).toEqual({
        exitCode: 5,
        out: "",
        err: `Cannot reach the server at ${gone.url}: nothing listens there; start it with \`tollgate serve\`, or name another with --server or TOLLGATE_URL.\n`,
      });
    }
  });
});

describe("the admin token", () => {
  const keep = (directory: string, token: string): void => {
    mkdirSync(join(cli.cwd, directory));
    writeFileSync(join(cli.cwd, directory, "admin-token"), `${token}\n`);
  };
  const tokenSent = async (env: Record<string, string> = {}): Promise<string | undefined> => {
    cli.answers = () => ({ body: { data: [], next_cursor: null } });
    await cli.run("accounts list", { TOLLGATE_ADMIN_TOKEN: "", ...env });
    return cli.admin.asked.at(-1)?.headers.authorization;
  };

  test("is found where serve left it", async () => {
    keep("tollgate-data", "kept");
    expect(await tokenSent()).toBe("Bearer kept");
    expect(await tokenSent({ TOLLGATE_ADMIN_TOKEN: "given" })).toBe("Bearer given");
  });

  test("is found in the data directory of the configuration, even when the server alone has its variables", async () => {
    keep("tollgate-data", "usual");
    keep("elsewhere", "configured");
    writeFileSync(join(cli.cwd, "tollgate.yaml"), "store: ./elsewhere\n");
    expect(await tokenSent()).toBe("Bearer configured");
    writeFileSync(join(cli.cwd, "tollgate.yaml"), `store: \${NOT_HERE}\n`);
    expect(await tokenSent()).toBe("Bearer usual");
  });

  test("is read from a file that TOLLGATE_ADMIN_TOKEN_FILE names", async () => {
    writeFileSync(join(cli.cwd, "token"), "mounted\n");
    expect(await tokenSent({ TOLLGATE_ADMIN_TOKEN_FILE: join(cli.cwd, "token") })).toBe("Bearer mounted");
  });

  test("that is kept here is sent to this machine only", async () => {
    keep("tollgate-data", "kept");
    const { exitCode } = await cli.run("accounts list", {
      TOLLGATE_ADMIN_TOKEN: "",
      TOLLGATE_URL: "http://tollgate.invalid:1",
    });
    expect(exitCode).toBe(5);
  });

  test("is not carried to where a server sends us", async () => {
    const other = await startFakeAdmin(() => ({ body: {} }));
    cli.answers = () => ({ status: 307, headers: { location: other.url }, body: "" });
    expect(await cli.run("accounts list")).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining("it sends elsewhere"),
    });
    expect(other.asked).toEqual([]);
    await other.close();
  });
});
