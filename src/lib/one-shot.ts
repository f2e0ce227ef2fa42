/** What is needed of an `AbortSignal`; one is also one of these. */
export interface OneShotSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Happens at most once and is never taken back. An `AbortController` does the same and costs several µs; each request needs
 * two of them and nearly none ever happens.
 */
export class OneShot implements OneShotSignal {
  aborted = false;
  private listeners: readonly (() => void)[] = [];

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    const { listeners } = this;
    this.listeners = [];
    for (const listener of listeners) listener();
  }

  /** Calls `listener` when it happens; never when it has happened already, as with an `AbortSignal`. */
  addEventListener(_type: "abort", listener: () => void): void {
    if (!this.aborted) this.listeners = [...this.listeners, listener];
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.listeners = this.listeners.filter((one) => one !== listener);
  }
}
