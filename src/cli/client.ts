import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { findGiven } from "../config/variables.ts";
import { isRow, type Row } from "./output.ts";
import { CliError, type ExitCode, exitCodes, type Terminal } from "./terminal.ts";

const usualServer = "http://127.0.0.1:8402";
const usualDirectory = "tollgate-data";
/** The largest page that every list of the admin API gives. */
const pageRows = 500;

/** The server refused; its code says what for. */
export class RefusedError extends CliError {
  readonly code: string | null;
  constructor(exitCode: ExitCode, message: string, code: string | null) {
    super(exitCode, message);
    this.code = code;
  }
}

export interface ConnectOptions {
  readonly server?: string | undefined;
  readonly config?: string | undefined;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface PostOptions {
  /** How long the answer may take; a minute unless given. */
  readonly timeoutMs?: number;
}

/** The admin API of a running server. Every failure is a `CliError` with the right exit code. */
export interface AdminClient {
  readonly url: string;
  get(path: string, query?: Query, timeoutMs?: number): Promise<Row>;
  /** Rows of a list, over its pages; at most `most` of them. */
  list(path: string, query?: Query, most?: number): AsyncGenerator<Row>;
  /** A list as CSV, in pieces as they arrive. */
  csv(path: string, query?: Query): AsyncGenerator<Uint8Array>;
  post(path: string, body: Row, options?: PostOptions): Promise<Row>;
  patch(path: string, body: Row): Promise<Row>;
  delete(path: string): Promise<Row>;
}

/** Finds the server and the admin token. Nothing is sent yet. */
export async function connect(terminal: Terminal, options: ConnectOptions): Promise<AdminClient> {
  const url = readServer(options.server ?? givenText(terminal, "TOLLGATE_URL") ?? usualServer);
  const token =
    givenText(terminal, "TOLLGATE_ADMIN_TOKEN") ??
    (isThisMachine(url) ? await findKeptToken(terminal, options) : null);
  return new HttpAdminClient(url, token);
}

function givenText(terminal: Terminal, name: string): string | null {
  const found = findGiven(terminal.env, name);
  if (found.state === "failed") throw new CliError(exitCodes.usage, `Cannot read ${name}: ${found.message}.`);
  return found.state === "set" ? found.text : null;
}

function readServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new CliError(
      exitCodes.usage,
      `Cannot use the server ${JSON.stringify(text)}: it is no http URL; write it like ${usualServer}.`,
    );
  }
  return url;
}

/** The kept token opens the server of this machine, so it is sent nowhere else. */
const isThisMachine = ({ hostname }: URL): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);

/** The token that `serve` left in its data directory: that of the configuration, else the usual one. */
async function findKeptToken(terminal: Terminal, options: ConnectOptions): Promise<string | null> {
  const directories = [await configuredDirectory(terminal, options), resolve(terminal.cwd, usualDirectory)];
  for (const directory of directories) {
    const token = directory === null ? null : readToken(join(directory, "admin-token"));
    if (token !== null) return token;
  }
  return null;
}

async function configuredDirectory(terminal: Terminal, options: ConnectOptions): Promise<string | null> {
  const { findConfigFile, loadConfig } = await import("../config/load.ts");
  const { ConfigError } = await import("../config/config.ts");
  const input = { flags: { config: options.config }, env: terminal.env, cwd: terminal.cwd };
  if (findConfigFile(input) === null) return null;
  try {
    const { store } = loadConfig({ ...input, pricedModels: () => [] });
    return store.kind === "pglite" ? store.directory : null;
  } catch (error) {
    // The file is for the server; a variable that only the server has must not stop a look at it.
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

function readToken(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return null;
    if (error instanceof Error && "code" in error && error.code === "EACCES") {
      throw new CliError(
        exitCodes.notAuthorised,
        `Cannot read ${file}: it belongs to another user; set TOLLGATE_ADMIN_TOKEN.`,
      );
    }
    throw error;
  }
}

interface Message {
  readonly method: string;
  readonly path: string;
  readonly query?: Query | undefined;
  readonly body?: Row;
  readonly headers?: Record<string, string>;
  readonly timeoutMs?: number | undefined;
}

class HttpAdminClient implements AdminClient {
  readonly url: string;
  readonly #root: URL;
  readonly #token: string | null;

  constructor(root: URL, token: string | null) {
    this.#root = root;
    this.#token = token;
    this.url = root.origin + root.pathname.replace(/\/+$/, "");
  }

  async get(path: string, query?: Query, timeoutMs?: number): Promise<Row> {
    return this.#json({ method: "GET", path, query, timeoutMs });
  }

  async *list(path: string, query: Query = {}, most = Number.POSITIVE_INFINITY): AsyncGenerator<Row> {
    let left = most;
    let cursor: string | undefined;
    while (left > 0) {
      const page = await this.get(path, { ...query, limit: Math.min(pageRows, left), cursor });
      const rows = Array.isArray(page.data) ? page.data.filter(isRow) : [];
      yield* rows;
      left -= rows.length;
      const next = page.next_cursor;
      if (typeof next !== "string" || rows.length === 0) return;
      cursor = next;
    }
  }

  async *csv(path: string, query?: Query): AsyncGenerator<Uint8Array> {
    const answer = await this.#send({
      method: "GET",
      path,
      query,
      headers: { accept: "text/csv" },
      timeoutMs: 3_600_000,
    });
    try {
      for await (const chunk of answer.body ?? []) yield chunk;
    } catch (error) {
      throw this.#unreachable(error, "the connection broke in the middle of the answer");
    }
  }

  post(path: string, body: Row, { timeoutMs }: PostOptions = {}): Promise<Row> {
    return this.#json({
      ...{ method: "POST", path, body, timeoutMs },
      headers: { "idempotency-key": randomUUID() },
    });
  }

  patch(path: string, body: Row): Promise<Row> {
    return this.#json({ method: "PATCH", path, body });
  }

  delete(path: string): Promise<Row> {
    return this.#json({ method: "DELETE", path });
  }

  async #json(message: Message): Promise<Row> {
    const answer = await this.#send(message);
    let value: unknown;
    try {
      value = await answer.json();
    } catch (error) {
      throw new CliError(
        exitCodes.failed,
        `Cannot read the answer of ${this.url}: it is no JSON; is this a Tollgate server?`,
        { cause: error },
      );
    }
    if (!isRow(value))
      throw new CliError(
        exitCodes.failed,
        `Cannot read the answer of ${this.url}: it is no JSON object; is this a Tollgate server?`,
      );
    return value;
  }

  async #send({
    method,
    path,
    query = {},
    body,
    headers = {},
    timeoutMs = 60_000,
  }: Message): Promise<Response> {
    if (this.#token === null) throw await this.#tokenless();
    const url = new URL(`${this.#root.pathname.replace(/\/+$/, "")}/admin/v1${path}`, this.#root);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const answer = await this.#fetch(url, timeoutMs, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (answer.ok) return answer;
    throw await this.#refused(answer);
  }

  async #fetch(url: URL, timeoutMs: number, request: RequestInit): Promise<Response> {
    try {
      // The token is for this server alone, so it is not carried elsewhere.
      return await fetch(url, { ...request, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      throw this.#unreachable(error, reasonOf(error));
    }
  }

  /** Without a token it still matters whether there is a server at all. */
  async #tokenless(): Promise<CliError> {
    await (await this.#fetch(new URL("/healthz", this.#root), 5_000, {})).body?.cancel();
    return new CliError(
      exitCodes.notAuthorised,
      `Cannot ask ${this.url}: there is no admin token; set TOLLGATE_ADMIN_TOKEN, or run this where \`tollgate serve\` keeps its data.`,
    );
  }

  #unreachable(cause: unknown, reason: string): CliError {
    return new CliError(
      exitCodes.unreachable,
      `Cannot reach the server at ${this.url}: ${reason}; start it with \`tollgate serve\`, or name another with --server or TOLLGATE_URL.`,
      { cause },
    );
  }

  async #refused(answer: Response): Promise<CliError> {
    const { message, code } = readRefusal(await answer.text());
    const { status } = answer;
    if (status === 401 || status === 403) {
      const told = `Not authorised at ${this.url}: ${message ?? `it answered ${status}.`} Check TOLLGATE_ADMIN_TOKEN.`;
      return new RefusedError(exitCodes.notAuthorised, told, code);
    }
    if (status >= 300 && status < 400) {
      const told = `Cannot ask ${this.url}: it sends elsewhere (${answer.headers.get("location")}); name that server itself.`;
      return new RefusedError(exitCodes.failed, told, code);
    }
    const told = message ?? `Cannot ask ${this.url}: it answered ${status}; is this a Tollgate server?`;
    return new RefusedError(exitCodes.failed, told, code);
  }
}

/** The message in an error answer, which is written for people, and its code. */
function readRefusal(text: string): { message: string | null; code: string | null } {
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Not one of ours: a proxy's page, say. The status tells what there is to tell.
  }
  const error = isRow(body) && isRow(body.error) ? body.error : {};
  const { message, code } = error;
  return {
    message: typeof message === "string" ? message : null,
    code: typeof code === "string" ? code : null,
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "it does not answer";
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : null;
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "there is no such host";
  return code ?? (cause instanceof Error ? cause.message : "the connection failed");
}
