import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Desk } from "../billing/desk.ts";
import type { CreditUnit } from "../core/money.ts";
import { type Clock, LedgerFault, type Observe } from "../ports.ts";
import type { AdminIds, AdminTables } from "../ports-admin.ts";
import type { SessionReader } from "../ports-console.ts";
import { type Actions, createActions } from "./actions.ts";
import { authenticate, readBearer } from "./auth.ts";
import { AdminError, errorBody } from "./errors.ts";
import { answerList } from "./lists.ts";
import { openApiOf } from "./openapi.ts";
import { isAllowed } from "./roles.ts";
import { type Actor, type AdminRoute, type Call, type RoutePorts, takesBody } from "./route.ts";
import { adminRoutes } from "./routes/all.ts";
import { createStreams, type Streams } from "./streams.ts";
import { compileCheck, readNumbers } from "./validate.ts";
import { answerWrite, type WriteAnswer } from "./writes.ts";

export interface AdminPorts extends RoutePorts {
  readonly clock: Clock;
  readonly ids: AdminIds;
  /** Bytes from a cryptographic source. */
  readonly random: (bytes: number) => Uint8Array;
  readonly credit: CreditUnit;
  readonly observe: Observe;
  /** The configured token; whoever has it is the owner. Never empty. */
  readonly ownerToken: string;
  /** Reads the session of a browser, for requests without a token; null where there is no console. */
  readonly readSession: SessionReader | null;
}

export const adminPrefix = "/admin/v1";
/** No body here is long: the largest is a price with its tiers, or 50 labels. */
const bodyBytesMax = 131_072;

declare module "fastify" {
  interface FastifyRequest {
    adminCaller: { readonly actor: Actor; readonly token: string } | null;
  }
  interface FastifyContextConfig {
    adminRoute?: AdminRoute;
  }
}

/** Adds the admin API under `/admin/v1`, apart from everything else on `app`: its own checks, errors and authentication. */
export function registerAdmin(app: FastifyInstance, ports: AdminPorts): void {
  if (ports.ownerToken === "") throw new Error("Bug: the admin API was given an empty token");
  app.register(
    async (scope) => {
      scope.decorateRequest("adminCaller", null);
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser(
        "application/json",
        { parseAs: "string", bodyLimit: bodyBytesMax },
        (_request, text, done) => {
          try {
            done(null, text === "" ? undefined : JSON.parse(text as string));
          } catch {
            done(
              new AdminError({
                status: 400,
                code: "invalid_json",
                message: "Cannot read the body: it is not JSON.",
              }),
            );
          }
        },
      );
      scope.addHook("onRequest", async (request, reply) => {
        reply.header("cache-control", "no-store");
        await admitCaller(ports, request);
      });
      scope.setErrorHandler((error, request, reply) => answerError(ports, error, { request, reply }));
      scope.setNotFoundHandler((request) => {
        const message = `Cannot ${request.method} ${pathOf(request.url)}: there is no such route; see ${adminPrefix}/openapi.json.`;
        throw new AdminError({ status: 404, code: "not_found", message });
      });
      const document = openApiOf(adminRoutes, ports.version);
      scope.get("/openapi.json", { config: { isPublic: true } }, async () => document);
      const streams = createStreams();
      const actions = createActions();
      for (const route of adminRoutes) addRoute(scope, { ports, streams, actions }, route);
      scope.addHook("preClose", async () => {
        streams.close();
        ports.tail.close();
        await actions.close();
      });
    },
    { prefix: adminPrefix },
  );
}

/** Who calls, and whether the route is theirs to use. The description of the API is open to all. */
async function admitCaller(ports: AdminPorts, request: FastifyRequest): Promise<void> {
  const { config } = request.routeOptions;
  if ("isPublic" in config) return;
  const caller = await identify(ports, request);
  const { actor } = caller;
  request.adminCaller = caller;
  const { adminRoute: route } = config;
  if (route !== undefined && !isAllowed(actor.role, route.role)) {
    const message = `Cannot ${route.method} ${route.path}: you have the role ${actor.role}; this needs ${route.role}.`;
    throw new AdminError({ status: 403, code: "insufficient_role", message });
  }
}

/** By token, or by the session of a browser that sends none. */
async function identify(
  ports: AdminPorts,
  request: FastifyRequest,
): Promise<{ actor: Actor; token: string }> {
  const { authorization } = request.headers;
  if (authorization === undefined && ports.readSession !== null) {
    const session = await ports.readSession(request);
    if (session.state === "known") return { actor: session.person, token: session.secret };
    if (session.state === "refused") {
      throw new AdminError({ status: session.status, code: "invalid_session", message: session.message });
    }
  }
  const token = readBearer(authorization);
  return { actor: await authenticate(token, ports.ownerToken, ports.store.tokens), token };
}

interface Served {
  readonly ports: AdminPorts;
  readonly streams: Streams;
  readonly actions: Actions;
}

function addRoute(scope: FastifyInstance, served: Served, route: AdminRoute): void {
  const checkParams = route.params === null ? null : compileCheck(route.params, "path");
  const checkQuery = takesBody(route) ? null : compileCheck(route.query, "query");
  const checkBody = !takesBody(route) || route.body === null ? null : compileCheck(route.body, "body");
  scope.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
    config: { adminRoute: route },
    bodyLimit: bodyBytesMax,
    handler: async (request, reply) => {
      checkParams?.(request.params);
      const query = takesBody(route)
        ? {}
        : readNumbers(request.query as Record<string, unknown>, route.query);
      checkQuery?.(query);
      // A body that may be left out altogether is one without fields.
      const body = request.body ?? {};
      checkBody?.(body);
      return answer(served, route, { request, reply, query, body });
    },
  });
}

async function answer(
  { ports, streams, actions }: Served,
  route: AdminRoute,
  asked: { request: FastifyRequest; reply: FastifyReply; query: unknown; body: unknown },
): Promise<unknown> {
  const { request, reply, query, body } = asked;
  const caller = request.adminCaller;
  if (caller === null) throw new Error(`Bug: ${route.path} was reached without a caller`);
  const { clock, ids, random, credit } = ports;
  const deskOn = (tables: AdminTables): Desk => ({
    ...{ tables, clock, ids, random, credit, actor: caller.actor.name },
  });
  const callOn = (tables: AdminTables): Call<unknown, unknown, unknown> => ({
    ...{ params: request.params, query, body, actor: caller.actor, desk: deskOn(tables), ports },
  });
  if (route.kind === "list") return answerList(route, callOn(ports.store), reply);
  if (route.kind === "read") return route.run(callOn(ports.store));
  if (route.kind === "stream") return streams.answer(route, callOn(ports.store), reply);
  const asker = {
    store: ports.store,
    caller,
    path: pathOf(request.url),
    body,
    idempotencyKey: route.method === "POST" ? request.headers["idempotency-key"] : undefined,
  };
  let result: WriteAnswer;
  if (route.kind === "action") {
    const act = (signal: AbortSignal) => route.run(callOn(ports.store), signal);
    result = await actions.answer(route, { ...asker, act, deskOn });
  } else {
    result = await answerWrite(route, { ...asker, run: (tables) => route.run(callOn(tables)) });
    if (!result.isReplay) await route.after?.(ports);
  }
  reply.code(result.status).headers(result.headers).type("application/json; charset=utf-8");
  return reply.send(Buffer.from(result.body));
}

const pathOf = (url: string): string => url.split("?", 1)[0] ?? url;

function answerError(
  ports: AdminPorts,
  error: unknown,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
): FastifyReply {
  const known = knownError(error);
  if (known.status >= 500)
    ports.observe({
      event: "fault",
      where: `admin ${request.method} ${pathOf(request.url)}`,
      error: textOf(error),
    });
  reply.removeHeader("content-disposition");
  return reply
    .code(known.status)
    .headers(known.headers)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(errorBody(known)));
}

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

function knownError(error: unknown): AdminError {
  if (error instanceof AdminError) return error;
  if (error instanceof LedgerFault) {
    const message = "Cannot reach the ledger at the moment; try again shortly.";
    return new AdminError({ status: 503, code: error.code, message, headers: { "retry-after": "1" } });
  }
  switch ((error as { code?: string }).code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new AdminError({
        status: 413,
        code: "body_too_large",
        message: `Cannot take the body: it is longer than ${bodyBytesMax} bytes.`,
      });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new AdminError({
        status: 415,
        code: "unsupported_media_type",
        message: "Cannot read the body: send it as application/json.",
      });
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new AdminError({
        status: 400,
        code: "invalid_body",
        message: "Cannot read the body: it is not as long as Content-Length says.",
      });
    default:
      return new AdminError({
        status: 500,
        code: "internal_error",
        message: "Something went wrong here; it was written to the log.",
      });
  }
}
