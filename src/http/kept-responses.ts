import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { vendorRequestId } from "../core/dialects.ts";
import { type KeptAction, serveKept } from "../gateway/kept.ts";
import type { Authenticate } from "./authenticate.ts";
import { headerText } from "./headers.ts";
import { send } from "./reads.ts";
import { answerOf, requestError } from "./refusal-answers.ts";
import type { HttpPorts } from "./server.ts";

/** `GET`, `DELETE` and `POST …/cancel` of responses: for ids that the key's account made, and free of charge. */
export function addKeptResponses(
  app: FastifyInstance,
  http: HttpPorts,
  about: { prefix: string; authenticate: Authenticate },
): void {
  const route = `${about.prefix}/responses/:id`;
  const handler = (action: KeptAction) => (request: FastifyRequest, reply: FastifyReply) =>
    answer(http, about.authenticate, { action, request, reply });
  app.get(route, handler("read"));
  app.delete(route, handler("delete"));
  app.post(`${route}/cancel`, handler("cancel"));
}

async function answer(
  http: HttpPorts,
  authenticate: Authenticate,
  call: { action: KeptAction; request: FastifyRequest; reply: FastifyReply },
): Promise<FastifyReply> {
  const { request, reply, action } = call;
  const { ports, settings } = http;
  const id = ports.ids.next("req");
  const known = await authenticate(request.headers);
  if (!known.ok)
    return send(
      reply,
      requestError(id, 401, { message: known.message, param: null, code: "invalid_api_key" }),
    );
  const query = queryOf(request);
  if (query === null) {
    const message = "Cannot stream a stored response again; read it without `stream`.";
    return send(reply, requestError(id, 400, { message, param: "stream", code: "unsupported_feature" }));
  }
  const { id: responseId } = request.params as { id: string };
  const answered = await serveKept(ports, {
    id,
    accountId: known.identity.accountId,
    responseId,
    action,
    query,
  });
  if (!answered.ok) return send(reply, answerOf(answered.refusal, settings));
  const vendorId = vendorRequestId(answered.headers);
  return reply
    .code(answered.status)
    .headers({
      "content-type": headerText(answered.contentType),
      "x-request-id": id,
      "x-tollgate-endpoint": headerText(answered.endpoint),
      ...(vendorId === null ? {} : { "x-vendor-request-id": headerText(vendorId) }),
    })
    .send(answered.body);
}

/** The query that goes to the vendor: what to include, nothing else. Null when a stream is asked for. */
function queryOf(request: FastifyRequest): string | null {
  const { searchParams } = new URL(request.url, "http://tollgate");
  if (searchParams.get("stream") === "true") return null;
  const kept = new URLSearchParams();
  for (const [name, value] of searchParams)
    if (name === "include" || name === "include[]") kept.append(name, value.slice(0, 200));
  const text = kept.toString();
  return text === "" ? "" : `?${text}`;
}
