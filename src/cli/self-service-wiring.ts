import type { Outcome } from "../billing/refusals.ts";
import { credits, generation, keyInfo, ownUsage, type SelfServicePorts } from "../billing/self-service.ts";
import { SelfServiceError, type SelfServiceRead } from "../http/server.ts";
import type { GatewayParts } from "./gateway-process.ts";

/** What a key may read of its own account, by path under `/v1`. */
export function selfServiceOf(
  parts: Pick<GatewayParts, "store" | "clock" | "config">,
): Readonly<Record<string, SelfServiceRead>> {
  const ports: SelfServicePorts = {
    tables: parts.store,
    clock: parts.clock,
    credit: parts.config.credit.unit,
    creditName: parts.config.credit.name,
  };
  return {
    key: async (own) => answerOf(await keyInfo(ports, own)),
    credits: async (own) => answerOf(await credits(ports, own)),
    usage: async (own, query) => answerOf(await ownUsage(ports, own, query)),
    generation: async (own, query) => answerOf(await generation(ports, own, query)),
  };
}

/** The read's value; a refusal becomes the error that the http edge answers. */
function answerOf(outcome: Outcome<object>): object {
  if (outcome.ok) return outcome.value;
  const { code, message, param } = outcome.refusal;
  throw new SelfServiceError(code === "request_not_found" ? 404 : 400, code, message, param);
}
