const slotCount = 1_024;

/** Something that is to run at a moment; `run` is null once it ran or was cancelled. */
export interface Ticket {
  /** In ms of the pacer's clock. */
  readonly dueMs: number;
  readonly tick: number;
  run: (() => void) | null;
}

/** How late the tickets ran, in ms. */
export interface Lag {
  readonly tickets: number;
  readonly maxMs: number;
  readonly meanMs: number;
}

/**
 * One timer for all streams: a wheel of slots, each `tickMs` wide. At thousands of streams, a timer per token
 * and stream would cost the event loop more than the streams themselves. Runs a ticket at or just after its
 * due time.
 */
export class Pacer {
  readonly #slots: Ticket[][] = Array.from({ length: slotCount }, () => []);
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | null = null;
  #lastTick: number;
  #waiting = 0;
  #ran = 0;
  #lagMs = 0;
  #lagMaxMs = 0;

  constructor(tickMs = 4) {
    this.#tickMs = tickMs;
    this.#lastTick = this.#tickAt(this.now());
  }

  now(): number {
    return performance.now();
  }

  at(dueMs: number, run: () => void): Ticket {
    const nowTick = this.#tickAt(this.now());
    // An empty wheel stood still; what it skipped meanwhile is past.
    if (this.#waiting === 0) this.#lastTick = Math.max(this.#lastTick, nowTick - 1);
    // Never in a slot that the wheel has left behind: it would wait there for a whole turn.
    const tick = Math.max(Math.ceil(dueMs / this.#tickMs), nowTick, this.#lastTick + 1);
    const ticket: Ticket = { dueMs, tick, run };
    this.#slots[tick % slotCount]?.push(ticket);
    this.#waiting += 1;
    if (this.#timer === null) this.#timer = setTimeout(() => this.#turn(), this.#tickMs);
    return ticket;
  }

  cancel(ticket: Ticket): void {
    if (ticket.run !== null) this.#waiting -= 1;
    ticket.run = null;
  }

  lag(): Lag {
    return {
      tickets: this.#ran,
      maxMs: this.#lagMaxMs,
      meanMs: this.#ran === 0 ? 0 : this.#lagMs / this.#ran,
    };
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const slot of this.#slots) slot.length = 0;
    this.#waiting = 0;
  }

  #tickAt(ms: number): number {
    return Math.floor(ms / this.#tickMs);
  }

  #turn(): void {
    const current = this.#tickAt(this.now());
    const from = Math.max(this.#lastTick + 1, current - slotCount + 1);
    this.#lastTick = current;
    for (let tick = from; tick <= current; tick++) this.#runSlot(tick % slotCount, current);
    this.#timer = null;
    if (this.#waiting > 0) this.#timer = setTimeout(() => this.#turn(), this.#tickMs);
  }

  #runSlot(at: number, current: number): void {
    const slot = this.#slots[at];
    if (slot === undefined || slot.length === 0) return;
    const later = slot.filter((ticket) => ticket.run !== null && ticket.tick > current);
    const due = slot.filter((ticket) => ticket.run !== null && ticket.tick <= current);
    slot.length = 0;
    slot.push(...later);
    for (const ticket of due) {
      const { run } = ticket;
      if (run === null) continue;
      ticket.run = null;
      this.#waiting -= 1;
      const lagMs = Math.max(0, this.now() - ticket.dueMs);
      this.#ran += 1;
      this.#lagMs += lagMs;
      this.#lagMaxMs = Math.max(this.#lagMaxMs, lagMs);
      run();
    }
  }
}
