import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { EndpointCredential } from "../config/config.ts";

/** An Entra token lives for about an hour; one that was read a minute ago is good. */
const reuseMs = 60_000;
const commandTimeoutMs = 20_000;

/** The endpoint's credential now: a key as configured, or a token that is read again every minute. */
export function credentialReader(credential: EndpointCredential, now: () => number): () => Promise<string> {
  if (credential.kind === "none") return async () => "none";
  if (credential.kind === "api_key") return async () => credential.key.reveal();
  let last: { at: number; token: Promise<string> } | null = null;
  return () => {
    if (last === null || now() - last.at > reuseMs) {
      const token =
        credential.kind === "token_file" ? readToken(credential.file) : runCommand(credential.command);
      last = { at: now(), token };
      // A failed read is not kept: the next call tries again.
      token.catch(() => {
        last = null;
      });
    }
    return last.token;
  };
}

async function readToken(file: string): Promise<string> {
  const token = (await readFile(file, "utf8")).trim();
  if (token === "") throw new Error(`Cannot authenticate: the token file ${file} is empty`);
  return token;
}

function runCommand([program, ...parameters]: readonly [string, ...string[]]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, parameters, { timeout: commandTimeoutMs, maxBuffer: 1_048_576 }, (error, stdout) => {
      const token = stdout.trim();
      if (error !== null)
        reject(new Error(`Cannot authenticate: the token command ${program} failed`, { cause: error }));
      else if (token === "")
        reject(new Error(`Cannot authenticate: the token command ${program} printed nothing`));
      else resolve(token);
    });
  });
}
