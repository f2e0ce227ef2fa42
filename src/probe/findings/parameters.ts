import { type ParameterOutcome, parameterMatrix } from "../matrix.ts";
import type { Measurement } from "../types.ts";
import { type Evidence, evidence, type FindingRule } from "./finding.ts";

/** How parameters are treated. A deployment has rules of its own, whatever its name says. */
export const parameterRules: readonly FindingRule[] = [
  {
    ...{ id: "TG-P034", name: "parameter_refused", severity: "medium" },
    title: "Parameters are refused",
    meaning: "A request with one of them fails whole.",
    advice:
      "Leave them out for this deployment. The gateway drops sampling preferences that it knows to be refused, and says so in `x-tollgate-rewrites`.",
    detect: (measurement) => withOutcome(measurement, "refused"),
  },
  {
    ...{ id: "TG-P035", name: "parameter_renamed", severity: "medium" },
    title: "A parameter is wanted under another name",
    meaning:
      "The old name is refused, and on reasoning models the new one means something else: it limits reasoning too.",
    advice: "Send the new name. The gateway renames it, and says so in `x-tollgate-rewrites`.",
    detect: (measurement) => withOutcome(measurement, "renamed"),
  },
  {
    ...{ id: "TG-P036", name: "parameter_fixed", severity: "medium" },
    title: "A parameter is taken only at its default",
    meaning: "A request that sets it to anything else fails whole.",
    advice: "Leave it out for this deployment. The gateway drops it, and says so in `x-tollgate-rewrites`.",
    detect: (measurement) => withOutcome(measurement, "fixed"),
  },
  {
    ...{ id: "TG-P037", name: "parameter_ignored", severity: "medium" },
    title: "A parameter is taken and has no effect",
    meaning: "Clients believe that it works.",
    advice: "Do not rely on it with this deployment.",
    detect: (measurement) => withOutcome(measurement, "ignored"),
  },
];

function withOutcome(measurement: Measurement, outcome: ParameterOutcome): readonly Evidence[] {
  return parameterMatrix(measurement)
    .filter((result) => result.outcome === outcome)
    .map(({ parameter, sent, said, status }) =>
      evidence(
        { plan: { id: parameter } },
        `\`${parameter}: ${showValue(sent)}\`${outcome === "ignored" ? "" : ` is answered with ${status}`}`,
        said,
      ),
    );
}

function showValue(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 40 ? text : `${text.slice(0, 37)}…`;
}
