import { createHash } from "node:crypto";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type Gateway, serveRequest } from "../gateway/serve.ts";
import type { ApiRequest } from "../gateway/types.ts";
import type { KeyIdentity, Keys, Ports } from "../ports.ts";
import { readJsonObject } from "../protocol/json-gate.ts";
import { billingNames, type Operation, operations, readRequest } from "../protocol/request.ts";
import { type Authenticate, createAuthenticator, oncePerRequest } from "./authenticate.ts";
import { BodyError, createBodyReader } from "./body.ts";
import { createDownstream, sendError } from "./downstream.ts";
import { addKeptResponses } from "./kept-responses.ts";
import { addReads, type SelfServiceRead, send } from "./reads.ts";
import { type AnswerSettings, type ErrorAnswer, requestError } from "./refusal-answers.ts";

export { SelfServiceError, type SelfServiceRead } from "./reads.ts";

export interface HttpSettings extends AnswerSettings {
  readonly bodyBytes: number;
  readonly maxDepth: number;
  readonly concurrentRequests: number;
  /** Whether every API key may repeat requests; else those that say so. */
  readonly isIdempotencyEnabled: boolean;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** Whether the process should get traffic, with the checks that say so. */
export interface Readiness {
  readonly isReady: boolean;
  readonly checks: Readonly<Record<string, boolean | string>>;
}

export interface HttpPorts {
  readonly ports: Ports;
  readonly keys: Keys;
  readonly gateway: Gateway;
  readonly settings: HttpSettings;
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
  /** Requests that run now, for a clean stop. */
  readonly running: Set<Promise<void>>;
  /** Reads a customer may make of their own account: path under the prefix → answer. */
  readonly selfService: Readonly<Record<string, SelfServiceRead>>;
}

/** The OpenAI-compatible server: keys, routes, bodies, refusals as HTTP answers. The stories are told elsewhere. */
export function createServer(http: HttpPorts): FastifyInstance {
  const { settings } = http;
  const app = Fastify({
    logger: false,
    bodyLimit: settings.bodyBytes,
    requestTimeout: settings.requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: 72_000,
    http: {
      headersTimeout: settings.headersTimeoutMs,
      maxHeaderSize: 16_384,
      connectionsCheckingInterval: 5_000,
    },
    exposeHeadRoutes: false,
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 200 },
    forceCloseConnections: false,
  });
  const authenticate = oncePerRequest(createAuthenticator(http.keys, http.ports.clock));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", createBodyReader(authenticate, settings.bodyBytes));
  // No listener for upgrades: Node then ignores the offer and answers in HTTP/1.1. Java's client offers h2c every time.
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    void send(reply, faultAnswer(http, request, error));
  });
  app.setNotFoundHandler((request, reply) => void send(reply, unknownUrl(http, request)));
  addHealth(app, http);
  for (const prefix of ["/v1", "/openai/v1", "/openai"]) addReads(app, http, { prefix, authenticate });
  for (const [operation, path] of Object.entries(operations)) {
    const handler = (request: FastifyRequest, reply: FastifyReply): void =>
      void run(http, { operation: operation as Operation, authenticate, request, reply });
    for (const prefix of ["/v1", "/openai/v1"]) app.post(`${prefix}/${path}`, handler);
    if (operation === "responses") app.post("/openai/responses", handler);
    else app.post(`/openai/deployments/:deployment/${path}`, handler);
  }
  for (const prefix of ["/v1", "/openai/v1", "/openai"])
    addKeptResponses(app, http, { prefix, authenticate });
  return app;
}

function unknownUrl(http: HttpPorts, request: FastifyRequest): ErrorAnswer {
  const path = request.url.split("?")[0]?.slice(0, 200) ?? "";
  return requestError(http.ports.ids.next("req"), 404, {
    message: `Unknown request URL: ${request.method} ${path}. Nothing is passed on that is not metered.`,
    param: null,
    code: "unknown_url",
  });
}

function faultAnswer(
  http: HttpPorts,
  request: FastifyRequest,
  error: Error & { statusCode?: number; code?: string },
): ErrorAnswer {
  const id = http.ports.ids.next("req");
  if (error instanceof BodyError && error.statusCode === 413) {
    return requestError(id, 413, { message: error.message, param: null, code: "body_too_large" });
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return requestError(id, error.statusCode, { message: error.message, param: null, code: "bad_request" });
  }
  http.ports.observe({
    event: "fault",
    where: `${request.method} ${request.routeOptions.url ?? "unknown route"}`,
    error: String(error),
  });
  return requestError(id, 500, {
    message: "The gateway failed; the operator's log says why.",
    param: null,
    code: null,
    type: "server_error",
  });
}

function addHealth(app: FastifyInstance, http: HttpPorts): void {
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const { isReady, checks } = await http.readiness();
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? "ready" : "not_ready", checks });
  });
  app.get("/metrics", async (_request, reply) => {
    const { contentType, text } = await http.metrics();
    return reply.header("content-type", contentType).send(text);
  });
}

interface Run {
  readonly operation: Operation;
  readonly authenticate: Authenticate;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** One billed request: authenticated, read, and handed to its story. */
async function run(http: HttpPorts, about: Run): Promise<void> {
  const { request, reply } = about;
  const id = http.ports.ids.next("req");
  reply.hijack();
  const arrivedAt = http.ports.clock.elapsed();
  const refuse = (
    status: number,
    error: Parameters<typeof requestError>[2],
    headers: Record<string, string> = {},
  ): void => {
    http.ports.observe({ event: "request_refused", requestId: id, code: error.code ?? "", status });
    const answer = requestError(id, status, error);
    sendError(reply.raw, { ...answer, headers: { ...answer.headers, ...headers } });
  };
  try {
    if (http.running.size >= http.settings.concurrentRequests) {
      return refuse(
        503,
        {
          message: "Too many requests run at once; try again shortly.",
          param: null,
          code: "overloaded",
          type: "server_error",
        },
        { "retry-after": "1" },
      );
    }
    const client = createDownstream(reply.raw, http.settings);
    const known = await about.authenticate(request.headers);
    if (!known.ok) return refuse(401, { message: known.message, param: null, code: "invalid_api_key" });
    const read = readApiRequest(http, about, { identity: known.identity, arrivedAt });
    if (!read.ok) return refuse(read.status, read.error);
    const story = serveRequest(http.ports, http.gateway, { id, request: read.request, client });
    http.running.add(story);
    await story.finally(() => http.running.delete(story));
  } catch (error) {
    http.ports.observe({
      event: "fault",
      where: `request ${id}`,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    if (reply.raw.headersSent) reply.raw.destroy();
    else
      refuse(500, {
        message: "The gateway failed; the operator's log says why.",
        param: null,
        code: null,
        type: "server_error",
      });
  }
}

type ApiRead =
  | { readonly ok: true; readonly request: ApiRequest }
  | { readonly ok: false; readonly status: number; readonly error: Parameters<typeof requestError>[2] };

function readApiRequest(
  http: HttpPorts,
  about: Run,
  known: { identity: KeyIdentity; arrivedAt: number },
): ApiRead {
  const { request, operation } = about;
  const bad = (status: number, code: string, message: string, param: string | null = null): ApiRead => ({
    ok: false,
    status,
    error: { message, param, code },
  });
  if (request.headers["content-encoding"] !== undefined)
    return bad(415, "unsupported_encoding", "The body must not be compressed.");
  const contentType = request.headers["content-type"];
  if (contentType !== undefined && !/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(contentType)) {
    return bad(415, "unsupported_media_type", "The body must be application/json in UTF-8.");
  }
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const parsed = readJsonObject(body, billingNames, { maxDepth: http.settings.maxDepth, maxKeys: 100_000 });
  if (!parsed.ok) return bad(400, parsed.fault.code, parsed.fault.message, parsed.fault.param);
  const { deployment } = request.params as { deployment?: string };
  const facts = readRequest(operation, {
    body: parsed.value,
    numbers: parsed.numbers,
    bytes: body.length,
    model: deployment ?? null,
  });
  if (!facts.ok) return bad(400, facts.fault.code, facts.fault.message, facts.fault.param);
  const key = request.headers["idempotency-key"];
  if (key !== undefined && (typeof key !== "string" || key === "" || key.length > 255)) {
    return bad(400, "invalid_value", "The Idempotency-Key must have 1 to 255 characters.", "Idempotency-Key");
  }
  const isHonoured = http.settings.isIdempotencyEnabled || known.identity.settings.idempotency === true;
  const clientRequestId = request.headers["x-client-request-id"];
  return {
    ok: true,
    request: {
      identity: known.identity,
      facts: facts.facts,
      idempotency:
        key === undefined || !isHonoured
          ? null
          : { key, fingerprint: fingerprintOf(operation, facts.facts.model, body) },
      clientRequestId: typeof clientRequestId === "string" ? clientRequestId.slice(0, 200) : null,
      arrivedAt: known.arrivedAt,
    },
  };
}

function fingerprintOf(operation: string, model: string, body: Uint8Array): string {
  return createHash("sha256").update(`${operation}\0${model}\0`).update(body).digest("hex");
}
