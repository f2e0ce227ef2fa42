import { type Ask, lastUserText, readAsk } from "./ask.ts";
import type { Attempt } from "./attempt.ts";
import { readDirectives } from "./directives.ts";
import { type ErrorStyle, modelError, refusalError, type VendorError } from "./errors.ts";
import type { Accepted, GenerateRoute } from "./job.ts";
import { type JsonObject, parseJsonObject, readString } from "./json.ts";
import type { Model } from "./models.ts";
import { findModel } from "./options.ts";
import { findRefusal } from "./refusals.ts";

/** Reads a request for generated text as the vendor would, or says how the vendor refuses it. */
export function acceptRequest(attempt: Attempt, route: GenerateRoute): Accepted | VendorError {
  const { settings } = attempt.vendor;
  const style = settings.profile.errors;
  const body = parseJsonObject(attempt.body.toString("utf8"));
  if (body === null) return refusalError(style, { status: 400, message: notJson });
  attempt.isStream = body.stream === true;
  const model = resolveModel(attempt, route, body);
  if ("status" in model) return model;
  const read = readAsk(route.api, body);
  const ask = withHistory(attempt, read);
  if (ask === null) return unknownHistory(style, read);
  const directives = readDirectives(attempt.request.headers, lastUserText(ask.messages));
  if (typeof directives === "string") {
    return refusalError(style, { status: 400, message: directives, type: "simulator_error" });
  }
  const { isAzure, isStrict } = settings.profile;
  const { api, apiVersion } = route;
  if (directives.served !== null) attempt.model = { ...model, served: directives.served };
  const refusal = findRefusal({ api, body, ask, model, isAzure, apiVersion, isStrict });
  if (refusal !== null) return refusalError(style, refusal);
  return { attempt, route, ask, model: attempt.model ?? model, directives };
}

function resolveModel(attempt: Attempt, route: GenerateRoute, body: JsonObject): Model | VendorError {
  const { settings } = attempt.vendor;
  const name = route.deployment ?? readString(body.model);
  attempt.deployment = name;
  if (settings.profile.isAzure && name !== null) attempt.headers["x-ms-deployment-name"] = name;
  if (name === null || name === "") {
    return refusalError(settings.profile.errors, {
      status: 400,
      message: "you must provide a model parameter",
    });
  }
  attempt.model = findModel(settings, name);
  return attempt.model ?? modelError(settings.profile.errors, name);
}

/** The request with the conversation it goes on from, or null when that is not known. */
function withHistory(attempt: Attempt, ask: Ask): Ask | null {
  if (ask.previousResponseId === null) return ask;
  const earlier = attempt.vendor.responses.find(ask.previousResponseId);
  return earlier === null ? null : { ...ask, messages: [...earlier.messages, ...ask.messages] };
}

function unknownHistory(style: ErrorStyle, ask: Ask): VendorError {
  const message = `Previous response with id '${ask.previousResponseId}' not found.`;
  const code = "previous_response_not_found";
  return refusalError(style, { status: 400, message, param: "previous_response_id", code });
}

const notJson =
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP " +
  "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)";
