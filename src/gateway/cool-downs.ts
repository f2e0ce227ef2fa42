import type { DeploymentRoute } from "../core/routing.ts";

/** Deployments that failed a moment ago are tried last until their time is up. Memory of this process only: a hint, no rule. */
export class CoolDowns {
  private readonly until = new Map<string, number>();

  isCooling(route: DeploymentRoute, nowMs: number): boolean {
    const until = this.until.get(nameOf(route));
    return until !== undefined && until > nowMs;
  }

  start(route: DeploymentRoute, untilMs: number): void {
    this.until.set(nameOf(route), untilMs);
  }

  end(route: DeploymentRoute): void {
    this.until.delete(nameOf(route));
  }

  /** Endpoint/deployment names with the instant (ms) their cool-down ends. */
  list(nowMs: number): ReadonlyMap<string, number> {
    return new Map([...this.until].filter(([, until]) => until > nowMs));
  }
}

const nameOf = (route: DeploymentRoute): string => `${route.endpoint}/${route.deployment}`;
