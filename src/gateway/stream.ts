import { runningUsageWhenAsked } from "../core/dialects.ts";
import { redact } from "../core/vendor-errors.ts";
import type { Ports, VendorAnswer } from "../ports.ts";
import { AnswerMeter, type EventRole } from "../protocol/answer-meter.ts";
import { dataEvent, type SseEvent, SseSplitter } from "../protocol/sse.ts";
import { answeredBy, endAnswer } from "./answered.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { VendorEnd } from "./endings.ts";
import type { RelayContext, TailEvent, Transcript, Tried, VendorCall } from "./outcome.ts";
import { withoutSecrets, withoutUsage } from "./stream-edits.ts";
import type { AnswerHead } from "./types.ts";

/**
 * Relays one vendor stream to its end, event by event: the bytes of each event that is forwarded are the vendor's own,
 * except `usage` that exists only because Tollgate asked. What ends the stream for the client is held back until the
 * charge is committed. Runs on when the client has left (`drain`), or closes the vendor (`cancel`).
 */
export async function relayStream(ports: Ports, context: RelayContext, call: VendorCall): Promise<Tried> {
  const relay = new StreamRelay(ports, context, call);
  const end = await relay.run();
  return endAnswer(ports, context, {
    call,
    meter: relay.meter,
    end,
    hasReachedClient: context.client.hasBegun(),
    firstByteAtMs: relay.firstByteAtMs,
    reason: relay.fault,
    finish: { kind: "stream_end", tail: relay.tail, transcript: relay.transcript() },
  });
}

/** Answers that are kept to be replayed may be this large. */
const maxTranscriptBytes = 8 * 1024 * 1024;

/** No stream is larger: 128,000 tokens, each with 20 alternatives, stay below. One that has no end is given up here. */
const maxStreamBytes = 256 * 1024 * 1024;

const cutEvent = (): Uint8Array =>
  dataEvent({
    error: {
      message: "The vendor's stream broke off before its end.",
      type: "server_error",
      param: null,
      code: "upstream_cut",
    },
  });

class StreamRelay {
  readonly meter = new AnswerMeter();
  firstByteAtMs: number | null = null;
  /** What ends the stream for the client; sent after the settlement. */
  readonly tail: TailEvent[] = [];
  /** Why the stream broke, when it did. */
  fault: string | null = null;
  private readonly ports: Ports;
  private readonly context: RelayContext;
  private readonly call: VendorCall;
  private readonly splitter: SseSplitter;
  private readonly checkpoints: Checkpoints;
  private hasFailed = false;
  /** From the usage on, events wait for the cost that goes with it. */
  private isHolding = false;
  private readonly wantsCost: boolean;
  /** Events that wait for the head to be known. */
  private readonly waiting: Uint8Array[] = [];
  private hasKeptAlive = false;
  private kept: Uint8Array[] | null;
  private keptBytes = 0;

  constructor(ports: Ports, context: RelayContext, call: VendorCall) {
    this.ports = ports;
    this.context = context;
    this.call = call;
    this.splitter = new SseSplitter(context.settings.maxEventBytes);
    this.checkpoints = new Checkpoints(ports, context.admitted, call.served);
    const { identity, idempotency } = context.admitted.request;
    this.wantsCost = identity.settings.usageCost === true;
    this.kept = idempotency === null ? null : [];
  }

  /** Reads the vendor to its end. What the stream left to say is in `tail` then. */
  async run(): Promise<VendorEnd> {
    try {
      await this.readAll(this.call.answer);
    } catch (error) {
      this.fault = error instanceof Error ? error.message : String(error);
      const { served, answer } = this.call;
      const { id } = this.context.admitted;
      this.ports.observe({
        event: "attempt_failed",
        requestId: id,
        endpoint: served.route.endpoint,
        status: answer.status,
        reason: this.fault,
      });
      answer.body.destroy();
    } finally {
      this.checkpoints.stop();
    }
    const end = this.endOf();
    this.tail.unshift(...this.waiting.splice(0).map((bytes) => ({ bytes, isUsage: false })));
    if (end === "cut" || end === "given_up") this.tail.push({ bytes: cutEvent(), isUsage: false });
    if (this.meter.errorMessage !== null) this.fault = redact(this.meter.errorMessage);
    return end;
  }

  transcript(): Transcript | null {
    if (this.context.admitted.request.idempotency === null) return null;
    return { contentType: contentTypeOf(this.call), chunks: this.kept };
  }

  private async readAll(answer: VendorAnswer): Promise<void> {
    const { client } = this.context;
    let size = 0;
    for await (const chunk of answer.body) {
      size += chunk.length;
      if (size > maxStreamBytes) throw new Error(`the stream exceeds ${maxStreamBytes} bytes`);
      if (this.firstByteAtMs === null) this.ports.reach?.("after_first_byte");
      this.firstByteAtMs ??= this.ports.clock.elapsed();
      this.forward(this.splitter.push(chunk));
      if (this.hasFailed || this.meter.hasEnded) return;
      this.checkpoints.tick(this.meter);
      const writable = client.isGone() ? null : client.whenWritable();
      if (writable !== null) await writable;
    }
    const { event, isTruncated } = this.splitter.finish();
    if (event !== null) this.forward([event]);
    if (isTruncated) this.fault = "the vendor's stream broke off inside an event";
  }

  private endOf(): VendorEnd {
    // A Responses stream may end as failed: that is an end, and a failure.
    if (this.hasFailed || (this.meter.hasEnded && this.meter.status === "failed")) return "failed";
    // Usage without [DONE] is exact all the same; some vendors send no [DONE].
    if (this.meter.hasEnded || (this.fault === null && this.meter.mayEndHere())) return "complete";
    this.fault ??= "the vendor's stream broke off";
    return this.call.departure.isGivenUp() ? "given_up" : "cut";
  }

  /** Forwards what is the client's to see; one write per network chunk. Nothing after the end is read or sent. */
  private forward(events: readonly SseEvent[]): void {
    const out: Uint8Array[] = [];
    for (const event of events) {
      const role = event.data === null ? "content" : this.meter.event(event.data).role;
      if (event.data === null) this.hasKeptAlive = true;
      const isUsage = role === "usage_only" || (role === "usage_beside" && this.meter.mayEndHere());
      const bytes = this.shown(event, role);
      if (role === "end" || role === "error" || this.isHolding || (isUsage && this.wantsCost)) {
        this.isHolding = true;
        if (bytes !== null)
          this.tail.push({ bytes, isUsage: isUsage || (role === "end" && event.data !== "[DONE]") });
      } else if (bytes !== null) out.push(bytes);
      if (role === "error") this.hasFailed = true;
      if (role === "end" || role === "error") break;
    }
    if (out.length > 0) this.send(out);
  }

  /** The event as the client sees it; null when it exists only because Tollgate asked. */
  private shown(event: SseEvent, role: EventRole): Uint8Array | null {
    const { asksUsage, asksContinuous } = this.call.body;
    if (role === "error") return withoutSecrets(event.bytes, this.meter.errorMessage, this.call.answer.hide);
    if (role === "usage_only") return asksUsage ? null : event.bytes;
    if (role === "usage_null") return asksUsage ? withoutUsage(event) : event.bytes;
    if (role === "usage_beside" && this.isUsageOurs(asksUsage, asksContinuous)) return withoutUsage(event);
    return event.bytes;
  }

  /** Usage beside content exists because Tollgate asked: running totals, at vendors that send them only then. */
  private isUsageOurs(asksUsage: boolean, asksContinuous: boolean): boolean {
    return (
      asksContinuous || (asksUsage && runningUsageWhenAsked.some((form) => form.test(this.meter.model ?? "")))
    );
  }

  private send(chunks: readonly Uint8Array[]): void {
    this.waiting.push(...chunks);
    if (this.isHeadUnknown()) return;
    const ready = this.waiting.splice(0);
    if (this.kept !== null) this.keep(ready);
    const { client } = this.context;
    if (client.isGone()) return;
    if (!client.hasBegun()) client.begin(this.head());
    client.write(ready);
  }

  /**
   * Azure's first chunk names no model: it waits for the next one, so that the head tells who serves, and so that another
   * deployment can be tried when nothing follows. Comments keep the client's connection alive and do not wait.
   */
  private isHeadUnknown(): boolean {
    if (this.context.client.hasBegun() || this.hasKeptAlive) return false;
    return this.meter.model === null && !this.meter.hasOutput();
  }

  /** A customer who left may come back with the same Idempotency-Key: it gets the whole answer then. */
  private keep(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.keptBytes += chunk.length;
    if (this.keptBytes > maxTranscriptBytes) this.kept = null;
    // A copy: chunks are views of network buffers that would be kept whole.
    else this.kept?.push(...chunks.map((chunk) => chunk.slice()));
  }

  private head(): AnswerHead {
    return answeredBy(this.context, this.call, {
      model: this.meter.model,
      contentType: contentTypeOf(this.call),
    });
  }
}

/** What a client reads by; a vendor may call its stream something else. */
function contentTypeOf(call: VendorCall): string {
  const type = call.answer.headers["content-type"] ?? "";
  return /^text\/event-stream/i.test(type) ? type : "text/event-stream; charset=utf-8";
}
