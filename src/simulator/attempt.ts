import type { IncomingMessage, ServerResponse } from "node:http";
import type { Count } from "./answers.ts";
import type { BillLine, BillReason } from "./bill.ts";
import type { VendorError } from "./errors.ts";
import type { FaultName } from "./faults.ts";
import type { Model } from "./models.ts";
import { createRandom, type Random } from "./seeded.ts";
import type { Vendor } from "./vendor.ts";

export const noCount: Count = {
  input: 0,
  cachedInput: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  acceptedPrediction: 0,
  rejectedPrediction: 0,
};

/** One request at the vendor, from its arrival to its line on the bill. */
export class Attempt {
  readonly vendor: Vendor;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly random: Random;
  /** The vendor's own headers, which every answer has. */
  readonly headers: Record<string, string>;
  readonly atMs: number;
  answerId: string | null = null;
  model: Model | null = null;
  deployment: string | null = null;
  tier: string | null = null;
  fault: FaultName | null = null;
  isStream = false;
  #isSettled = false;

  constructor(vendor: Vendor, request: IncomingMessage, response: ServerResponse, body: Buffer) {
    const { settings, occurrences } = vendor;
    this.vendor = vendor;
    this.request = request;
    this.response = response;
    this.body = body;
    this.atMs = settings.clock();
    const path = request.url ?? "/";
    const occurrence = occurrences.next(Buffer.concat([Buffer.from(`${path}\n`), body]));
    this.random = createRandom(settings.seed, settings.profileName, path, body, occurrence);
    const deployment = /\/deployments\/([^/?]+)/.exec(path)?.[1] ?? "";
    this.headers = settings.profile.headers(this.random, deployment);
    vendor.open += 1;
  }

  /** Answers with an error; nothing is charged unless `count` says so. */
  refuse(error: VendorError, count: Count = noCount): void {
    const length = String(Buffer.byteLength(error.body));
    this.response.writeHead(error.status, { ...this.headers, ...error.headers, "content-length": length });
    this.response.end(error.body);
    this.settle({
      count,
      reason: this.fault === null ? "refused" : "fault",
      status: error.status,
      aborted: false,
    });
  }

  /** Ends the attempt without a line on the bill: nothing was to be generated. */
  discard(): void {
    if (!this.#isSettled) this.vendor.open -= 1;
    this.#isSettled = true;
  }

  /** Puts the attempt on the bill, once. */
  settle(end: { count: Count; reason: BillReason; status: number | null; aborted: boolean }): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.vendor.open -= 1;
    const { count } = end;
    const client =
      this.request.headers["x-client-request-id"] ?? this.request.headers["x-request-id"] ?? null;
    const line: BillLine = {
      id: this.answerId,
      request_id: this.headers["x-request-id"] ?? "",
      at: new Date(this.atMs).toISOString(),
      path: this.request.url ?? "/",
      model: this.model?.name ?? null,
      served_model: this.model?.served ?? null,
      deployment: this.deployment,
      service_tier: this.tier,
      stream: this.isStream,
      input: count.input,
      cached_input: count.cachedInput,
      cache_write: count.cacheWrite,
      output: count.output,
      reasoning: count.reasoning,
      total: count.input + count.output,
      billed: count.input + count.output > 0,
      reason: end.reason,
      status: end.status,
      fault: this.fault,
      client_request_id: Array.isArray(client) ? (client[0] ?? null) : client,
      aborted: end.aborted,
    };
    this.vendor.bill.add(line);
  }
}
