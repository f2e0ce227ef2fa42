import { expect, test } from "vitest";
import { targetOf } from "./endpoint.ts";

const path = (
  kind: "azure" | "openai",
  baseUrl: string,
  apiVersion: string | null,
  operation = "chat/completions",
): string => {
  const { origin, path: place } = targetOf({ kind, baseUrl, apiVersion }, "my dep", operation);
  return `${origin}${place}`;
};
const azure = "https://n.openai.azure.com";

/** dialect §3.1, row by row. */
test.each([
  [
    "dated",
    path("azure", azure, "2024-12-01-preview"),
    `${azure}/openai/deployments/my%20dep/chat/completions?api-version=2024-12-01-preview`,
  ],
  ["v1", path("azure", azure, "v1"), `${azure}/openai/v1/chat/completions`],
  ["preview", path("azure", azure, "preview"), `${azure}/openai/v1/chat/completions?api-version=preview`],
  [
    "a Foundry address with the whole path",
    path("azure", "https://n.services.ai.azure.com/openai/v1/", "v1"),
    "https://n.services.ai.azure.com/openai/v1/chat/completions",
  ],
  [
    "a dated address with its deployment",
    path("azure", `${azure}/openai/deployments/x`, "2024-10-21"),
    `${azure}/openai/deployments/my%20dep/chat/completions?api-version=2024-10-21`,
  ],
  [
    "Responses, dated: no deployment",
    path("azure", azure, "2025-03-01-preview", "responses"),
    `${azure}/openai/responses?api-version=2025-03-01-preview`,
  ],
  [
    "a stored response, dated",
    path("azure", azure, "2025-03-01-preview", "responses/r1?include=x"),
    `${azure}/openai/responses/r1?api-version=2025-03-01-preview&include=x`,
  ],
  [
    "embeddings",
    path("azure", azure, "2024-10-21", "embeddings"),
    `${azure}/openai/deployments/my%20dep/embeddings?api-version=2024-10-21`,
  ],
  ["OpenAI", path("openai", "https://api.openai.com/v1", null), "https://api.openai.com/v1/chat/completions"],
  [
    "anybody, with a query of their own",
    path("openai", "https://h/x/v1/?key=1", null, "responses/r1?include=x"),
    "https://h/x/v1/responses/r1?key=1&include=x",
  ],
])("%s", (_form, got, want) => {
  expect(got).toBe(want);
});
