import type { Measurement } from "../types.ts";
import { answerRules } from "./answers.ts";
import { type Finding, type FindingRule, severities } from "./finding.ts";
import { parameterRules } from "./parameters.ts";
import { streamRules } from "./stream.ts";
import { tokenRules } from "./tokens.ts";
import { usageRules } from "./usage.ts";

/** Everything that a probe can find, in groups as the reference page shows them. */
export const findingGroups: readonly { readonly title: string; readonly rules: readonly FindingRule[] }[] = [
  { title: "Usage", rules: usageRules },
  { title: "Tokens", rules: tokenRules },
  { title: "Streams", rules: streamRules },
  { title: "Parameters", rules: parameterRules },
  { title: "Answers, prices, headers and time", rules: answerRules },
];

export const findingRules: readonly FindingRule[] = findingGroups.flatMap(({ rules }) => rules);

/** What a measurement shows, the worst first, within one severity by id. */
export function findAll(measurement: Measurement): readonly Finding[] {
  const found = findingRules.flatMap(({ detect, ...rule }): readonly Finding[] => {
    const evidence = detect(measurement);
    return evidence.length === 0 ? [] : [{ ...rule, evidence }];
  });
  return [...found].sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
}
