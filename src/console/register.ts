import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../ports.ts";
import type { Person } from "../ports-console.ts";
import { type Attempts, createAttempts } from "./attempts.ts";
import { readStaticFiles } from "./files.ts";
import { foreignReason } from "./origin.ts";
import { addPortal, type PortalPorts } from "./portal.ts";
import type { Sessions } from "./sessions.ts";
import { addPage } from "./static.ts";

export interface ConsolePorts {
  readonly clock: Clock;
  readonly sessions: Sessions;
  /** Who an admin token belongs to; null when it is none. */
  readonly authenticate: (token: string) => Promise<Person | null>;
  /** Where the build put the console's files. */
  readonly directory: string;
  /** What every page needs to know, beside who is logged in. */
  readonly about: ConsoleFacts;
  readonly portal: PortalPorts;
}

export interface ConsoleFacts {
  readonly version: string;
  readonly isDemo: boolean;
  /** IANA name; all days and hours on all pages are this zone's. */
  readonly timeZone: string;
  readonly credit: { readonly name: string; readonly usd: string };
}

/** The fragment never leaves the browser, so the secret is in no log and no Referer. */
export const loginPath = (secret: string): string => `/console/#/login?link=${secret}`;

/** Adds the console: its pages and its login, apart from everything else on `app`. */
export function registerConsole(app: FastifyInstance, ports: ConsolePorts): void {
  const files = readStaticFiles(ports.directory);
  const attempts = createAttempts(() => ports.clock.elapsed());
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      "application/json",
      { parseAs: "string", bodyLimit: 4_096 },
      (_request, text, done) => {
        try {
          done(null, JSON.parse(text as string));
        } catch {
          done(Object.assign(new Error("Cannot read the body: it is not JSON."), { statusCode: 400 }));
        }
      },
    );
    scope.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
      // What the world did wrong goes up to the server, which logs it.
      if (error.statusCode === undefined || error.statusCode >= 500) throw error;
      return refuse(reply, error.statusCode, { code: "bad_request", message: error.message });
    });
    addPage(scope, "/console", { files, document: "index.html" });
    addPage(scope, "/portal", { files, document: "portal.html" });
    addPortal(scope, ports.portal);
    scope.get("/", async (_request, reply) => reply.redirect("console/", 302));
    scope.get("/console/session", (request, reply) => showSession(ports, request, reply));
    scope.post("/console/login", (request, reply) => login(ports, attempts, { request, reply }));
    scope.post("/console/logout", (request, reply) => logout(ports, request, reply));
  });
}

async function showSession(
  ports: ConsolePorts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.header("cache-control", "no-store");
  const { sessions, about } = ports;
  const session = await sessions.read(request);
  if (session.state === "absent")
    return refuse(reply, 401, { code: "not_logged_in", message: "You are not logged in." });
  if (session.state === "refused")
    return refuse(reply, session.status, { code: "session_ended", message: session.message });
  const renewed = await sessions.renew(session.secret, session.person);
  if (renewed !== null) setCookie(ports, { request, reply, value: renewed });
  return reply.send({
    actor: session.person.name,
    role: session.person.role,
    version: about.version,
    is_demo: about.isDemo,
    time_zone: about.timeZone,
    credit: about.credit,
  });
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function login(
  ports: ConsolePorts,
  attempts: Attempts,
  { request, reply }: Exchange,
): Promise<FastifyReply> {
  reply.header("cache-control", "no-store");
  const foreign = foreignReason(request);
  if (foreign !== null)
    return refuse(reply, 403, { code: "foreign_origin", message: `Cannot log in: ${foreign}.` });
  const waitMs = attempts.wait(request.ip);
  if (waitMs !== null) {
    reply.header("retry-after", String(Math.ceil(waitMs / 1_000)));
    return refuse(reply, 429, {
      code: "too_many_attempts",
      message: "Cannot log in: too many failed attempts; wait a minute.",
    });
  }
  const person = await personOf(ports, request.body);
  if (person === null) {
    attempts.failed(request.ip);
    const message =
      "Cannot log in: this is no valid login link or admin token. A link works once, for 15 minutes; print a new one.";
    return refuse(reply, 401, { code: "invalid_login", message });
  }
  // A session that the browser had before must not live on beside the new one.
  const old = ports.sessions.secretIn(request.headers.cookie);
  if (old !== null) await ports.sessions.end(old);
  setCookie(ports, { request, reply, value: await ports.sessions.open(person) });
  return reply.code(204).send();
}

async function personOf(ports: ConsolePorts, body: unknown): Promise<Person | null> {
  if (typeof body !== "object" || body === null) return null;
  const { link, token } = body as { link?: unknown; token?: unknown };
  if (typeof link === "string" && link.length <= 100) return ports.sessions.takeLink(link);
  if (typeof token === "string" && /^[\x21-\x7e]{1,500}$/.test(token)) return ports.authenticate(token);
  return null;
}

async function logout(
  ports: ConsolePorts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.header("cache-control", "no-store");
  const foreign = foreignReason(request);
  if (foreign !== null)
    return refuse(reply, 403, { code: "foreign_origin", message: `Cannot log out: ${foreign}.` });
  const secret = ports.sessions.secretIn(request.headers.cookie);
  if (secret !== null) await ports.sessions.end(secret);
  setCookie(ports, { request, reply, value: null });
  return reply.code(204).send();
}

/** Path "/" because the console asks the admin API, which lies beside it, and because a proxy's prefix is not known here. */
function setCookie({ sessions }: ConsolePorts, about: Exchange & { value: string | null }): void {
  const { request, reply, value } = about;
  const isTls = request.protocol === "https" || request.headers["x-forwarded-proto"] === "https";
  const parts = [`${sessions.cookieName}=${value ?? ""}`, "Path=/", "HttpOnly", "SameSite=Strict"];
  if (isTls) parts.push("Secure");
  if (value === null) parts.push("Max-Age=0");
  reply.header("set-cookie", parts.join("; "));
}

const refuse = (
  reply: FastifyReply,
  status: number,
  error: { code: string; message: string },
): FastifyReply =>
  reply.code(status).send({ error: { ...error, type: "invalid_request_error", param: null } });
