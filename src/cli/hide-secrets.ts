import type { Secret } from "../lib/secret.ts";
import type { ProbeReport } from "../probe/report-schema.ts";

/** A vendor may echo our key anywhere; it goes no further than here. */
export function hideSecrets(text: string, secrets: readonly Secret[]): string {
  const known = secrets
    .map((secret) => secret.reveal())
    .filter((secret) => secret.length >= 6 && secret !== "none");
  return known.reduce((shown, secret) => shown.replaceAll(secret, "[hidden]"), text);
}

export const hideAll = (report: ProbeReport, secrets: readonly Secret[]): ProbeReport =>
  JSON.parse(hideSecrets(JSON.stringify(report), secrets)) as ProbeReport;
