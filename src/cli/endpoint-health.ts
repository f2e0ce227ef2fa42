import type { Observation } from "../ports.ts";

/** What traffic told about each endpoint, in this process, since its start. */
export class EndpointHealth {
  private readonly lastError = new Map<string, string>();
  private readonly used = new Set<string>();

  observe(observation: Observation): void {
    if (observation.event === "attempt_failed") {
      this.used.add(observation.endpoint);
      this.lastError.set(
        observation.endpoint,
        observation.status === null ? observation.reason : `${observation.status}: ${observation.reason}`,
      );
    } else if (observation.event === "request_ended" && observation.endpoint !== null)
      this.used.add(observation.endpoint);
  }

  wasUsed(endpoint: string): boolean {
    return this.used.has(endpoint);
  }

  lastErrorOf(endpoint: string): string | null {
    return this.lastError.get(endpoint) ?? null;
  }
}
