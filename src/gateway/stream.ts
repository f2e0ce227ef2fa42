import type { EstimateReason } from "../core/usage.ts";
import type { Ports, RequestOutcome, VendorAnswer } from "../ports.ts";
import { AnswerMeter } from "../protocol/answer-meter.ts";
import { dataEvent, type SseEvent, SseSplitter, withoutMember } from "../protocol/sse.ts";
import { Checkpoints } from "./checkpoints.ts";
import { readAnswer } from "./reading.ts";
import { attemptOf, type Outcome, type RelayContext, type VendorCall } from "./relay.ts";
import { redact } from "../core/vendor-errors.ts";

/** How the vendor's stream ended. */
type StreamEnd = "complete" | "cut" | "vendor_error" | "client_left";

/**
 * Relays one vendor stream to its end, event by event: the bytes of each event that is forwarded are the vendor's own,
 * except `usage` that exists only because Tollgate asked. What ends the stream for the client is held back until the
 * charge is committed. Runs on when the client has left (`drain`), or closes the vendor (`cancel`).
 */
export async function relayStream(ports: Ports, context: RelayContext, call: VendorCall): Promise<Outcome> {
  const meter = new AnswerMeter();
  const relay = new StreamRelay(ports, context, { call, meter });
  const end = await relay.run();
  const isComplete = end === "complete";
  const read = await readAnswer(ports, meter, {
    admitted: context.admitted,
    served: call.served,
    settings: context.settings,
    isComplete,
    reason: estimateReasons[end],
  });
  const outcome: RequestOutcome = end === "cut" ? "vendor_cut" : context.client.isGone() && end !== "vendor_error" ? "client_left" : end === "client_left" ? "client_left" : end;
  return {
    ...read,
    outcome,
    served: call.served,
    modelServed: meter.model,
    serviceTier: meter.serviceTier,
    attempts: [
      ...call.attempts,
      attemptOf(ports, call.served, { status: call.answer.status, headers: call.answer.headers, reason: meter.errorMessage === null ? relay.fault : redact(meter.errorMessage), started: call.started, usage: null }),
    ],
    rewrites: call.body.rewrites,
    firstByteAtMs: relay.firstByteAtMs,
    vendorEndedAtMs: ports.clock.elapsed(),
    vendorHeaders: call.answer.headers,
    finish: { kind: "stream_end", tail: relay.tail },
  };
}

const estimateReasons: Record<StreamEnd, EstimateReason> = {
  complete: "vendor_sends_none",
  cut: "vendor_cut",
  vendor_error: "vendor_error",
  client_left: "client_left",
};

class StreamRelay {
  firstByteAtMs: number | null = null;
  /** What ends the stream for the client; sent after the settlement. */
  readonly tail: Uint8Array[] = [];
  /** Why the stream broke, when it did. */
  fault: string | null = null;
  private readonly ports: Ports;
  private readonly context: RelayContext;
  private readonly call: VendorCall;
  private readonly meter: AnswerMeter;
  private readonly splitter: SseSplitter;
  private readonly hidesUsage: boolean;
  private readonly checkpoints: Checkpoints;
  private hasFailed = false;
  private drainTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(ports: Ports, context: RelayContext, about: { call: VendorCall; meter: AnswerMeter }) {
    this.ports = ports;
    this.context = context;
    this.call = about.call;
    this.meter = about.meter;
    this.splitter = new SseSplitter(context.settings.maxEventBytes);
    this.hidesUsage = about.call.body.asksUsage;
    this.checkpoints = new Checkpoints(ports, context.admitted, about.call.served);
  }

  async run(): Promise<StreamEnd> {
    const { client } = this.context;
    const onGone = (): void => this.limitDrain();
    client.gone.addEventListener("abort", onGone, { once: true });
    if (client.isGone()) onGone();
    try {
      return await this.readAll(this.call.answer);
    } finally {
      client.gone.removeEventListener("abort", onGone);
      if (this.drainTimer !== null) clearTimeout(this.drainTimer);
      this.checkpoints.stop();
    }
  }

  private async readAll(answer: VendorAnswer): Promise<StreamEnd> {
    const { client } = this.context;
    try {
      for await (const chunk of answer.body) {
        this.firstByteAtMs ??= this.ports.clock.elapsed();
        this.forward(this.splitter.push(chunk));
        if (this.hasFailed || this.meter.hasEnded) break;
        this.checkpoints.tick(this.meter);
        const writable = client.isGone() ? null : client.whenWritable();
        if (writable !== null) await writable;
      }
      if (!this.hasFailed && !this.meter.hasEnded) this.finishFraming();
    } catch (error) {
      this.fault = error instanceof Error ? error.message : String(error);
      this.ports.observe({ event: "attempt_failed", requestId: this.context.admitted.id, endpoint: this.call.served.route.endpoint, status: answer.status, reason: this.fault });
      answer.body.destroy();
      if (this.call.abort.signal.aborted) return "client_left";
    }
    if (this.hasFailed) return "vendor_error";
    // Usage without [DONE] is exact all the same; some vendors send no [DONE].
    if (this.meter.hasEnded || (this.fault === null && this.meter.usage() !== null && this.hasFinished())) return this.endOf();
    this.fault ??= "the vendor's stream broke off";
    this.tail.push(dataEvent({ error: { message: "The vendor's stream broke off before its end.", type: "server_error", param: null, code: "upstream_cut" } }));
    return "cut";
  }

  /** A Responses stream may end as failed: that is an end, and an error. */
  private endOf(): StreamEnd {
    return this.meter.status === "failed" ? "vendor_error" : "complete";
  }

  private hasFinished(): boolean {
    return this.meter.output().finishReasons.length > 0;
  }

  private finishFraming(): void {
    const { event, isTruncated } = this.splitter.finish();
    if (event !== null) this.forward([event]);
    if (isTruncated) this.fault = "the vendor's stream broke off inside an event";
  }

  /** Forwards what is the client's to see; one write per network chunk. */
  private forward(events: readonly SseEvent[]): void {
    const out: Uint8Array[] = [];
    for (const event of events) {
      if (event.data === null) {
        out.push(event.bytes);
        continue;
      }
      const { role } = this.meter.event(event.data);
      if (role === "end") {
        this.tail.push(event.bytes);
        break; // nothing after the end is read or sent
      }
      if (role === "error") {
        this.hasFailed = true;
        this.tail.push(withoutSecrets(event));
        break;
      }
      if (role === "usage_only" && this.hidesUsage) continue;
      if (role === "usage_null" && this.hidesUsage) out.push(withoutUsage(event));
      else out.push(event.bytes);
    }
    if (out.length === 0 || this.context.client.isGone()) return;
    if (!this.context.client.hasBegun()) this.begin();
    this.context.client.write(out);
  }

  private begin(): void {
    this.context.client.begin(headOf(this.context, this.call, this.meter));
  }

  /** The client left: the vendor is read on for a bounded time. */
  private limitDrain(): void {
    const { route } = this.call.served;
    if (route.onDisconnect === "cancel") {
      this.call.abort.abort();
      return;
    }
    this.drainTimer = setTimeout(() => this.call.abort.abort(), route.drainTimeoutMs);
    this.drainTimer.unref();
  }
}

/** The head of an answer from what is known at its first byte. */
export function headOf(context: RelayContext, call: VendorCall, meter: AnswerMeter): Parameters<RelayContext["client"]["begin"]>[0] {
  const { admitted } = context;
  return {
    status: call.answer.status,
    contentType: call.answer.headers["content-type"] ?? "text/event-stream; charset=utf-8",
    requestId: admitted.id,
    model: meter.model ?? call.served.route.model,
    endpoint: call.served.route.endpoint,
    hold: admitted.hold,
    outputCap: admitted.isCapOurs ? admitted.cap : null,
    rewrites: call.body.rewrites,
    vendorHeaders: call.answer.headers,
    limits: admitted.limits,
    charge: null,
    usageSource: null,
  };
}

const textDecoder = new TextDecoder();
const textEncoder = new TextEncoder();

/** The event without its top-level `usage` member; every other byte as it came. */
function withoutUsage(event: SseEvent): Uint8Array {
  const rest = withoutMember(textDecoder.decode(event.bytes), "usage");
  return rest === null ? event.bytes : textEncoder.encode(rest);
}

/** An error event as the vendor sent it, unless it shows something like a credential. */
function withoutSecrets(event: SseEvent): Uint8Array {
  const text = textDecoder.decode(event.bytes);
  const clean = redact(text);
  return clean === text ? event.bytes : textEncoder.encode(clean);
}
