import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { runCli } from "../../src/cli/main.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Ends the run as Ctrl-C would. */
  readonly signal?: AbortSignal;
  /** Sees stdout as it grows. */
  readonly onOut?: (out: string) => void;
}

/** Runs one command line in this process, with a terminal that only remembers. */
export async function runCommand(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  let out = "";
  let err = "";
  const decoder = new TextDecoder();
  const add = (text: string): void => {
    out += text;
    options.onOut?.(out);
  };
  const terminal: Terminal = {
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    hasColour: false,
    write: async (chunk) => add(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true })),
    print: (line) => add(`${line}\n`),
    note: (line) => {
      err += `${line}\n`;
    },
    interrupted: options.signal ?? new AbortController().signal,
  };
  const exitCode = await runCli(argv, terminal);
  return { exitCode, out, err };
}

export interface Asked {
  readonly method: string;
  /** With the query, below /admin/v1. */
  readonly path: string;
  readonly body: unknown;
  readonly headers: IncomingMessage["headers"];
}

export interface Answered {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it is, everything else as JSON. */
  readonly body: unknown;
}

export interface FakeAdmin {
  readonly url: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** An admin API that answers what the test says, and remembers what it was asked. */
export async function startFakeAdmin(answer: (asked: Asked) => Answered): Promise<FakeAdmin> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const one = {
        method: request.method ?? "",
        path: (request.url ?? "").replace(/^\/admin\/v1/, ""),
        body: text === "" ? null : (JSON.parse(text) as unknown),
        headers: request.headers,
      };
      asked.push(one);
      const { status = 200, headers = {}, body } = answer(one);
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** What the server says when it refuses. */
export const refusal = (message: string, code: string) => ({
  error: { message, type: "invalid_request_error", param: null, code },
});

/** A command line with a fake admin API and an empty directory, both new for each test. */
export class CliBench {
  /** What the admin API answers; 404 unless the test says otherwise. */
  answers: (asked: Asked) => Answered = notFound;
  cwd = "";
  admin: FakeAdmin = { url: "", asked: [], close: async () => undefined };

  /** Registers itself with the tests of the file that calls it. */
  constructor() {
    beforeEach(async () => {
      this.answers = notFound;
      this.admin = await startFakeAdmin((asked) => this.answers(asked));
      this.cwd = mkdtempSync(join(tmpdir(), "tollgate-cli-"));
    });
    afterEach(async () => {
      await this.admin.close();
      rmSync(this.cwd, { recursive: true });
    });
  }

  run(line: string, env: Record<string, string> = {}): Promise<Ran> {
    return runCommand(line.split(" "), {
      env: { TOLLGATE_URL: this.admin.url, TOLLGATE_ADMIN_TOKEN: "token", ...env },
      cwd: this.cwd,
    });
  }
}

const notFound = (): Answered => ({ status: 404, body: refusal("Cannot find it.", "not_found") });
