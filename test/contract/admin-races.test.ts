import { expect, test } from "vitest";
import { runChecks } from "../../src/store/verify.ts";
import { openAdmin } from "../support/admin.ts";
import { strictly } from "../support/admin-answers.ts";
import { openBooks } from "../support/books.ts";
import { billed } from "../support/busy.ts";
import { newDatabase } from "../support/databases.ts";

/** A small generator with a seed, so that a run that fails can be run again. */
function lots(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

test.each([1, 2, 3])(
  "grants, voids, refunds, expiry and requests at once leave books in order (seed %i)",
  async (seed) => {
    const db = await newDatabase("postgres");
    const books = await openBooks(db);
    const admin = openAdmin(db);
    const call = strictly(admin);
    const lot = lots(seed);
    const accounts: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const { id } = (await call("POST", "/accounts", { body: { name: `a${n}` } })).json;
      accounts.push(id);
      await call("POST", `/accounts/${id}/grants`, { body: { amount: "500" } });
    }
    const grants: string[] = [];
    const requests: string[] = [];
    const statuses = new Map<string, number>();
    const note = (what: string): void => void statuses.set(what, (statuses.get(what) ?? 0) + 1);
    const pick = (from: readonly string[]): string => from[lot(Math.max(from.length, 1))] ?? "none";

    const steps: ReadonlyArray<() => Promise<void>> = [
      async () => {
        const body = {
          amount: String(1 + lot(90)),
          kind: lot(2) === 0 ? "paid" : "promotional",
          priority: lot(100),
          expires_at: "2100-01-01T00:00:00Z",
        };
        const answer = await call("POST", `/accounts/${pick(accounts)}/grants`, { body });
        grants.push(answer.json.id);
        note(`grant ${answer.status}`);
      },
      async () => note(`void ${(await call("POST", `/grants/${pick(grants)}/void`)).status}`),
      async () => {
        const soon =
          "update grants set expires_at = clock_timestamp() where id = $1 and expires_at > clock_timestamp()";
        await db.query(soon, [pick(grants)]);
        note(`read ${(await call("GET", `/accounts/${pick(accounts)}`)).status}`);
      },
      async () => {
        const body = lot(2) === 0 ? { reason: "all" } : { reason: "some", amount: `0.${1 + lot(9)}` };
        note(`refund ${(await call("POST", `/requests/${pick(requests)}/refunds`, { body })).status}`);
      },
      async () => {
        const [id, account] = [`req_${seed}_${requests.length}`, pick(accounts)];
        requests.push(id);
        const held = await books.hold(id, account, `0.${1 + lot(9)}`);
        if (!held.ok) return note(`request ${held.refusal.code}`);
        note(
          lot(5) === 0
            ? `release ${(await books.release(id, account)).code}`
            : `settle ${(await books.settle(id, account, "0", billed(lot(100)))).code}`,
        );
      },
    ];
    const run = async (): Promise<void> => {
      for (let n = 0; n < 25; n += 1) await steps[lot(3) > 0 ? 4 : lot(4)]?.();
    };
    await Promise.all(Array.from({ length: 16 }, run));

    expect([...statuses.keys()].filter((what) => / 5\d\d$/.test(what))).toEqual([]);
    expect(statuses.get("settle done")).toBeGreaterThan(50);
    expect(statuses.get("refund 201")).toBeGreaterThan(5);
    expect(statuses.get("void 200")).toBeGreaterThan(5);
    await db.query("select ledger_expire(null, 100)");
    expect((await runChecks(db, 60_000)).filter((check) => !check.ok)).toEqual([]);
    expect(admin.observations).toEqual([]);
    await admin.app.close();
    await books.ledger.close();
    await db.close();
  },
);
