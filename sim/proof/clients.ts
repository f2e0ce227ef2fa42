import { Agent, errors, request as send } from "undici";
import type { GatewayProcess } from "./gateway.ts";
import type { PlannedRequest } from "./requests.ts";

/** What a client saw of its request. `requestId` is null when not even a head arrived. */
export interface Seen {
  readonly number: number;
  readonly requestId: string | null;
  readonly status: number | null;
  /** The answer came to its end: a whole body, or a stream with its own last event. */
  readonly isWhole: boolean;
  readonly idempotencyKey: string | null;
  /** The gateway it waited for in vain, to the end of its patience; null when it got an end of whatever kind. */
  readonly hungAt: string | null;
}

/** Clients wait that long for a gateway that lives, ms. */
const allDeadPatienceMs = 60_000;

/** Sends planned requests to gateways that may die at any moment, and notes what it saw. */
export class Clients {
  readonly seen: Seen[] = [];
  private readonly gateways: readonly GatewayProcess[];
  private readonly keys: readonly string[];
  private readonly agent = new Agent({
    connections: 64,
    pipelining: 1,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  });
  private sent = 0;

  constructor(gateways: readonly GatewayProcess[], keys: readonly string[]) {
    this.gateways = gateways;
    this.keys = keys;
  }

  /** One request; a repeatable one again under the same Idempotency-Key, on whichever gateway, until it got an answer. */
  async run(planned: PlannedRequest): Promise<void> {
    if (!planned.isRepeatable) return void (await this.attempt(planned, null));
    const key = `proof-${planned.number}`;
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const seen = await this.attempt(planned, key);
      const isAnswered = seen.status !== null && seen.status !== 409 && seen.status < 500;
      if ((isAnswered && seen.isWhole) || planned.leavesAfterMs !== null) return;
      await new Promise((resolve) => setTimeout(resolve, 150 * (attempt + 1)));
    }
  }

  private async attempt(planned: PlannedRequest, idempotencyKey: string | null): Promise<Seen> {
    const seen = await this.send(planned, idempotencyKey);
    this.seen.push(seen);
    return seen;
  }

  private async send(planned: PlannedRequest, idempotencyKey: string | null): Promise<Seen> {
    const gateway = await this.next();
    const { number, path, body, customer, leavesAfterMs } = planned;
    const leave = new AbortController();
    const timer = leavesAfterMs === null ? null : setTimeout(() => leave.abort(), leavesAfterMs);
    let requestId: string | null = null;
    let status: number | null = null;
    const seen = (isWhole: boolean, hungAt: string | null = null): Seen => ({
      number,
      requestId,
      status,
      isWhole,
      idempotencyKey,
      hungAt,
    });
    try {
      const answer = await send(`${gateway.url}/v1/${path}`, {
        method: "POST",
        dispatcher: this.agent,
        signal: leave.signal,
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${this.keys[customer]}`,
          ...(idempotencyKey === null ? {} : { "idempotency-key": idempotencyKey }),
        },
        body: JSON.stringify(body),
      });
      status = answer.statusCode;
      const id = answer.headers["x-request-id"];
      requestId = typeof id === "string" ? id : null;
      const text = await answer.body.text();
      return seen(isWhole(planned, status, text));
    } catch (error) {
      // The gateway died, or the client left; or nothing came at all.
      const hasHung = error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
      return seen(false, hasHung ? gateway.plan.name : null);
    } finally {
      if (timer !== null) clearTimeout(timer);
    }
  }

  /** In turn; one that is dead is passed over, as a load balancer would. Waits while all are. */
  private async next(): Promise<GatewayProcess> {
    for (let waitedMs = 0; waitedMs < allDeadPatienceMs; waitedMs += 25) {
      for (let step = 0; step < this.gateways.length; step += 1) {
        const gateway = this.gateways[this.sent++ % this.gateways.length];
        if (gateway?.isReady()) return gateway;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return this.gateways[0] as GatewayProcess;
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

/** Whether the answer looks finished and good: the client would take it for what it paid for. */
function isWhole(planned: PlannedRequest, status: number, text: string): boolean {
  if (status !== 200) return true;
  if (!planned.isStream) return !isFailure(text);
  if (planned.path === "responses") return /^event: response\.(completed|incomplete)$/m.test(text);
  return text.trimEnd().endsWith("data: [DONE]");
}

/** A vendor may answer 200 and say in the body that it failed. */
function isFailure(text: string): boolean {
  const body = JSON.parse(text) as { error?: unknown; status?: unknown };
  return (body.error ?? null) !== null || body.status === "failed";
}
