import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { credentialReader } from "./credentials.ts";

const folder = mkdtempSync(join(tmpdir(), "tollgate-credentials-"));
/** A clock that stands still until it is moved. */
const clockAt = (start: number): { now: () => number; move: (ms: number) => void } => {
  let at = start;
  return {
    now: () => at,
    move: (ms) => {
      at += ms;
    },
  };
};

test("a token file is read again after a minute, and at once after it could not be read", async () => {
  const file = join(folder, "token");
  const clock = clockAt(0);
  const read = credentialReader({ kind: "token_file", file }, clock.now);
  await expect(read()).rejects.toThrow("ENOENT");
  writeFileSync(file, " \n");
  await expect(read()).rejects.toThrow(`Cannot authenticate: the token file ${file} is empty`);
  writeFileSync(file, "one\n");
  expect(await read()).toBe("one");
  writeFileSync(file, "two\n");
  clock.move(60_000);
  expect(await read()).toBe("one");
  clock.move(1);
  expect(await read()).toBe("two");
});

test("a token command is run once for calls of the same minute, and again after it", async () => {
  const counter = join(folder, "runs");
  writeFileSync(counter, "0");
  const script = `const fs = require("fs"); const n = Number(fs.readFileSync(process.argv[1])) + 1;
    fs.writeFileSync(process.argv[1], String(n)); console.log("token-" + n)`;
  const clock = clockAt(0);
  const command = [process.execPath, "-e", script, counter] as const;
  const read = credentialReader({ kind: "token_command", command }, clock.now);
  expect(await Promise.all([read(), read(), read()])).toEqual(["token-1", "token-1", "token-1"]);
  clock.move(60_001);
  expect(await read()).toBe("token-2");
});

test.each([
  ["fails", "process.exit(3)", "failed"],
  ["prints nothing", "", "printed nothing"],
])("a token command that %s is told without what it printed", async (_how, script, want) => {
  const command = [process.execPath, "-e", `console.error("secret"); ${script}`] as const;
  const read = credentialReader({ kind: "token_command", command }, () => 0);
  await expect(read()).rejects.toThrow(`Cannot authenticate: the token command ${process.execPath} ${want}`);
});
