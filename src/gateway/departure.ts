import type { DeploymentRoute } from "../core/routing.ts";
import { OneShot, type OneShotSignal } from "../lib/one-shot.ts";
import type { Client } from "./types.ts";

/**
 * What the customer's leaving does to one call to a vendor. `drain`: it is read on to its end, for a bounded time, and
 * charged exactly. `cancel`: its socket is closed at once. Lives from before the call to the end of the answer.
 */
export class Departure {
  private readonly abort = new OneShot();
  private readonly client: Client;
  private readonly route: DeploymentRoute;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly onGone = (): void => this.leave();

  constructor(client: Client, route: DeploymentRoute) {
    this.client = client;
    this.route = route;
    client.gone.addEventListener("abort", this.onGone);
    if (client.isGone()) this.leave();
  }

  /** Aborts the vendor's call. */
  get signal(): OneShotSignal {
    return this.abort;
  }

  isGivenUp(): boolean {
    return this.abort.aborted;
  }

  /** The call is over: leaving means nothing to it any more. */
  end(): void {
    this.client.gone.removeEventListener("abort", this.onGone);
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private leave(): void {
    if (this.route.onDisconnect === "cancel") {
      this.abort.abort();
      return;
    }
    this.timer ??= setTimeout(() => this.abort.abort(), this.route.drainTimeoutMs).unref();
  }
}
