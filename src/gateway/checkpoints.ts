import { encodingFor } from "../core/tokens/encodings.ts";
import type { Ports } from "../ports.ts";
import type { AnswerMeter } from "../protocol/answer-meter.ts";
import { countInput } from "./estimate.ts";
import type { Admitted, PricedDeployment } from "./types.ts";

/** With the moment that progress waits to be written, it is in the database at least every second. */
const intervalMs = 900;

/**
 * Keeps the progress of a running stream with its hold, once a second, so that another process can settle it after a
 * crash: which model serves, the vendor's running usage if it sends one, and tokens of the text so far. No text is kept.
 */
export class Checkpoints {
  private readonly ports: Ports;
  private readonly admitted: Admitted;
  private readonly served: PricedDeployment;
  private lastAt: number;
  private isCounting = false;
  private isStopped = false;
  private countedLength = 0;
  private outputTokens = 0;
  private inputTokens: number | null = null;

  constructor(ports: Ports, admitted: Admitted, served: PricedDeployment) {
    this.ports = ports;
    this.admitted = admitted;
    this.served = served;
    this.lastAt = ports.clock.elapsed();
  }

  tick(meter: AnswerMeter): void {
    const now = this.ports.clock.elapsed();
    if (this.isCounting || now - this.lastAt < intervalMs) return;
    this.lastAt = now;
    this.isCounting = true;
    this.write(meter)
      .catch((error: unknown) =>
        this.ports.observe({ event: "fault", where: "checkpoint", error: String(error) }),
      )
      .finally(() => {
        this.isCounting = false;
      });
  }

  stop(): void {
    this.isStopped = true;
  }

  private async write(meter: AnswerMeter): Promise<void> {
    const { route, row } = this.served;
    const { text } = meter.output();
    // Only what is new is counted: the sum may differ from the whole by a token per checkpoint.
    const fresh = text.slice(this.countedLength);
    this.countedLength = text.length;
    const { facts } = this.admitted.request;
    this.inputTokens ??= (
      await countInput(this.ports.tokens, facts, { model: route.model, overhead: 0 })
    ).tokens;
    this.outputTokens += (
      await this.ports.tokens.countAll([fresh], encodingFor(route.model).encoding)
    ).tokens;
    if (this.isStopped) return; // it is being settled now
    this.ports.ledger.checkpoint(this.admitted.id, {
      sent: true,
      endpoint: route.endpoint,
      deployment: route.deployment,
      provider: route.provider,
      model: route.model,
      model_served: meter.model,
      service_tier: meter.serviceTier,
      priced_as: row.model,
      price_row: row.id,
      input_tokens: this.inputTokens,
      output_tokens: this.outputTokens,
      usage: meter.usage(),
    });
  }
}
