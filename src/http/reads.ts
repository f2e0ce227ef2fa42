import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { KeyIdentity } from "../ports.ts";
import type { Authenticate } from "./authenticate.ts";
import { type ErrorAnswer, requestError } from "./refusal-answers.ts";
import type { HttpPorts } from "./server.ts";

export type SelfServiceRead = (
  identity: KeyIdentity,
  query: Readonly<Record<string, string>>,
) => Promise<unknown>;

/** A refusal of a self-service read that has a status of its own. */
export class SelfServiceError extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  constructor(status: number, code: string, message: string, param: string | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

export function send(reply: FastifyReply, answer: ErrorAnswer): FastifyReply {
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}

/** What a key may read: its models, and its own account. Open at zero balance. */
export function addReads(
  app: FastifyInstance,
  http: HttpPorts,
  about: { prefix: string; authenticate: Authenticate },
): void {
  const { prefix, authenticate } = about;
  const read = (
    path: string,
    answer: (identity: KeyIdentity, request: FastifyRequest) => Promise<unknown>,
  ): void => {
    app.get(`${prefix}/${path}`, async (request, reply) => {
      const id = http.ports.ids.next("req");
      const known = await authenticate(request.headers);
      if (!known.ok)
        return send(
          reply,
          requestError(id, 401, { message: known.message, param: null, code: "invalid_api_key" }),
        );
      try {
        return await reply.header("x-request-id", id).send(await answer(known.identity, request));
      } catch (error) {
        if (!(error instanceof SelfServiceError)) throw error;
        return send(
          reply,
          requestError(id, error.status, { message: error.message, param: error.param, code: error.code }),
        );
      }
    });
  };
  read("models", async (identity) => ({ object: "list", data: modelsOf(http, identity) }));
  read("models/:id", async (identity, request) => {
    const { id } = request.params as { id: string };
    const model = modelsOf(http, identity).find((one) => one["id"] === id);
    if (model !== undefined) return model;
    throw new SelfServiceError(
      404,
      "model_not_found",
      `The model ${JSON.stringify(id)} does not exist or this key may not use it.`,
      "model",
    );
  });
  for (const [path, answer] of Object.entries(http.selfService)) {
    read(path, (identity, request) => answer(identity, queryOf(request.query)));
  }
}

/** Every parameter once, as text that a database can look for. */
function queryOf(query: unknown): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
    if (typeof value === "string" && !value.includes("\u0000")) continue;
    const message = `Cannot read the query: \`${name}\` stands twice or has a NUL; give it once, as text.`;
    throw new SelfServiceError(400, "invalid_query", message, name);
  }
  return query as Readonly<Record<string, string>>;
}

/** The models this key may use and that have a price in force. */
function modelsOf(http: HttpPorts, identity: KeyIdentity): Record<string, unknown>[] {
  const { catalog, clock } = http.ports;
  const book = catalog.prices();
  return catalog
    .models()
    .filter((model) => identity.models === null || identity.models.includes(model.name))
    .filter((model) =>
      model.deployments.some((one) => book.find(one.provider, one.model, clock.now()) !== null),
    )
    .map((model) => ({ id: model.name, object: "model", created: 0, owned_by: "tollgate" }));
}
