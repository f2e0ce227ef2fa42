import { readVendorError } from "../core/vendor-errors.ts";
import { type KeptResponse, type Ports, VendorFault } from "../ports.ts";
import { asObject } from "../protocol/usage.ts";
import { settleRun } from "./background.ts";
import { readText } from "./failures.ts";
import { refusal } from "./refusals.ts";
import type { Refusal } from "./types.ts";

export type KeptAction = "read" | "delete" | "cancel";

export type KeptAnswer =
  | {
      readonly ok: true;
      readonly status: number;
      readonly contentType: string;
      readonly body: Uint8Array;
      readonly headers: Readonly<Record<string, string>>;
      readonly endpoint: string;
    }
  | { readonly ok: false; readonly refusal: Refusal };

/** Answers are read whole; a kept response is not larger than this, bytes. */
const maxAnswerBytes = 64 * 1024 * 1024;

/**
 * Reads, deletes or cancels a response that this account made; no other can be reached. Free of charge. A background run
 * that turns out to have ended is settled at once, and one that still runs cannot be deleted: its usage would be lost.
 */
export async function serveKept(
  ports: Ports,
  call: { id: string; accountId: string; responseId: string; action: KeptAction; query: string },
): Promise<KeptAnswer> {
  const { accountId, responseId, action } = call;
  const kept = await ports.kept.find(accountId, responseId);
  const route = kept === null ? null : ports.catalog.findDeployment(kept.endpoint, kept.deployment);
  if (kept === null || route === null) {
    return refuse(
      refusal(
        call.id,
        "stored_object_not_found",
        `Response with id ${JSON.stringify(responseId.slice(0, 100))} not found.`,
      ),
    );
  }
  if (action === "delete" && kept.state === "running" && !(await hasEnded(ports, kept, call.id))) {
    return refuse(
      refusal(
        call.id,
        "response_still_running",
        "Cannot delete the response: it still runs, and its usage would be lost; cancel it first.",
      ),
    );
  }
  try {
    const answer = await ports.vendor.call({
      deployment: route,
      operation: `responses/${encodeURIComponent(responseId)}${action === "cancel" ? "/cancel" : ""}${action === "read" ? call.query : ""}`,
      method: action === "read" ? "GET" : action === "delete" ? "DELETE" : "POST",
      body: action === "cancel" ? new TextEncoder().encode("{}") : null,
      requestId: call.id,
      signal: AbortSignal.timeout(60_000),
    });
    const text = await readText(answer, maxAnswerBytes);
    if (answer.status < 200 || answer.status >= 300)
      return refuse(vendorRefusal(call.id, kept, { status: answer.status, headers: answer.headers, text }));
    if (action === "delete") await ports.kept.remove(accountId, responseId);
    else if (kept.state === "running") await settleIfEnded(ports, kept, text);
    const contentType = answer.headers["content-type"] ?? "application/json";
    return {
      ok: true,
      status: answer.status,
      contentType,
      body: Buffer.from(text),
      headers: answer.headers,
      endpoint: kept.endpoint,
    };
  } catch (error) {
    if (!(error instanceof VendorFault)) throw error;
    const message = "The vendor that keeps the response could not be reached; try again shortly.";
    return refuse(refusal(call.id, "upstream_unavailable", message, { endpoint: kept.endpoint }));
  }
}

const refuse = (one: Refusal): KeptAnswer => ({ ok: false, refusal: one });

function vendorRefusal(
  id: string,
  kept: KeptResponse,
  seen: { status: number; headers: Readonly<Record<string, string>>; text: string },
): Refusal {
  const error = readVendorError(seen.status, seen.text);
  if (seen.status === 401 || seen.status === 403) {
    return refusal(
      id,
      "upstream_auth_failed",
      "The vendor refused the gateway's own credential; the operator must check it.",
      { endpoint: kept.endpoint },
    );
  }
  if (seen.status >= 500 || seen.status < 400) {
    return refusal(
      id,
      "upstream_unavailable",
      `The vendor failed with HTTP ${seen.status}; try again shortly.`,
      { endpoint: kept.endpoint },
    );
  }
  const vendor = {
    status: seen.status,
    type: error.type,
    code: error.code,
    headers: seen.headers,
    innerError: error.innerError,
  };
  return refusal(id, "vendor_refused", error.message, {
    endpoint: kept.endpoint,
    vendor,
    param: error.param,
  });
}

/** Looks whether a run has ended, and settles it then. */
async function hasEnded(ports: Ports, kept: KeptResponse, requestId: string): Promise<boolean> {
  const answer = await serveKept(ports, {
    id: requestId,
    accountId: kept.accountId,
    responseId: kept.id,
    action: "read",
    query: "",
  });
  const now = await ports.kept.find(kept.accountId, kept.id);
  return answer.ok && now?.state === "ended";
}

async function settleIfEnded(ports: Ports, kept: KeptResponse, text: string): Promise<void> {
  const run = await ports.kept.findRun(kept.accountId, kept.id);
  const json = parse(text);
  if (run !== null && json !== null) await settleRun(ports, run, json);
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null;
  }
}
