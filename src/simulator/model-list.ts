import type { Attempt } from "./attempt.ts";
import { modelError } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import { openaiModels } from "./models.ts";
import { findModel } from "./options.ts";

/** `GET /v1/models`: the deployments by name, and the models that the profile knows. */
export function listModels(attempt: Attempt, name: string | null): void {
  const { settings } = attempt.vendor;
  if (name !== null && findModel(settings, name) === null) {
    attempt.refuse(modelError(settings.profile.errors, name));
    return;
  }
  const { deployments, models } = settings;
  const names = [...new Set([...deployments.keys(), ...(models ?? openaiModels.keys())])];
  const describe = (id: string): JsonObject => ({
    id,
    object: "model",
    created: 1_686_935_002,
    owned_by: "system",
  });
  const body = JSON.stringify(name === null ? { object: "list", data: names.map(describe) } : describe(name));
  attempt.response.writeHead(200, { ...attempt.headers, "content-type": "application/json" });
  attempt.response.end(body);
  attempt.discard();
}
