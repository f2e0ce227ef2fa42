import { promptOverhead } from "../accuracy.ts";
import { type HiddenOutput, hiddenOutput, readCalls, reasoningLeast } from "../facts.ts";
import type { CallRecord, Measurement } from "../types.ts";
import { type Evidence, evidence, type FindingRule } from "./finding.ts";

/** What is billed against what can be seen and counted. */
export const tokenRules: readonly FindingRule[] = [
  {
    ...{ id: "TG-P015", name: "hidden_reasoning", severity: "high" },
    title: "Reasoning is billed that no text shows",
    meaning: "Output tokens are mostly hidden: no count of the visible text comes near the bill.",
    advice:
      "Bill by the vendor's usage alone. Without it, an estimate from text is a lower bound and must be called so.",
    detect: (measurement) =>
      eachHidden(measurement, (hidden) => {
        if (hidden.reasoning !== null && hidden.reasoning > 0 && hidden.hidden > 0) {
          return `${hidden.billed} output tokens billed, ${hidden.visible} visible, ${hidden.reasoning} stated as reasoning`;
        }
        if (hidden.reasoning === 0 || hidden.hidden < reasoningLeast) return null;
        return `${hidden.billed} output tokens billed, ${hidden.visible} visible: ${hidden.hidden} are hidden, though the usage does not say what they are`;
      }),
  },
  {
    ...{ id: "TG-P016", name: "cap_reached_by_reasoning", severity: "high" },
    title: "The output limit is used up before any text, and billed in full",
    meaning:
      "The limit covers reasoning and text alike: a small one buys an empty answer at the full price of the limit.",
    advice:
      "Allow for reasoning in the limit, or lower `reasoning_effort`. An empty text with finish_reason `length` is billed at the limit, not at nothing.",
    detect: (measurement) =>
      eachHidden(measurement, (hidden, call) =>
        hidden.isCapReached && hidden.visible === 0
          ? `the limit of ${call.plan.cap} is billed in full, finish_reason is length, and no text came`
          : null,
      ),
  },
  {
    ...{ id: "TG-P017", name: "hidden_output_small", severity: "low" },
    title: "A few more output tokens are billed than the text has",
    meaning: "The vendor adds tokens of its own to an answer, so an estimate from text is a little low.",
    advice: "Bill by the vendor's usage; expect estimates to be low by this much for each answer.",
    detect: (measurement) =>
      eachHidden(measurement, ({ hidden, billed, visible, reasoning }) => {
        const rest = hidden - (reasoning ?? 0);
        if (rest <= 0 || rest >= reasoningLeast || visible === 0) return null;
        return `${billed} output tokens billed, ${visible} visible${reasoning ? `, ${reasoning} reasoning` : ""}: ${rest} more`;
      }),
  },
  {
    ...{ id: "TG-P018", name: "fewer_billed_than_visible", severity: "low" },
    title: "Fewer output tokens are billed than the text has",
    meaning: "The tokenizer that estimates go by is not the one that this model counts with.",
    advice: "Set the deployment's `model` to the model that really serves, and treat estimates as rough.",
    detect: (measurement) =>
      eachHidden(measurement, ({ hidden, billed, visible }) =>
        hidden < 0 ? `${billed} output tokens billed for a text of ${visible}` : null,
      ),
  },
  {
    ...{ id: "TG-P019", name: "reasoning_shown", severity: "info" },
    title: "Reasoning is shown beside the text",
    meaning: "Answers carry `reasoning_content` or `reasoning`, which is billed as output.",
    advice: "Count it when an answer has to be estimated. The gateway does.",
    detect: (measurement) => {
      const call = readCalls(measurement).find(({ answer }) => answer.reasoningText !== "");
      return call === undefined
        ? []
        : [
            evidence(
              call,
              `${call.answer.reasoningText.length} characters of reasoning`,
              call.answer.reasoningText,
            ),
          ];
    },
  },
  {
    ...{ id: "TG-P020", name: "prompt_overhead_constant", severity: "low" },
    title: "Prompts are counted with a constant difference",
    meaning: "The vendor's count of a prompt differs from the tokenizer's by the same number each time.",
    advice: "Save the probe: the gateway adds the difference to its estimates, which makes them exact.",
    detect(measurement) {
      const { constant, samples } = promptOverhead(measurement);
      if (constant === null || constant === 0) return [];
      const pairs = samples.map(({ call, billed, counted }) => `${call} ${billed} for ${counted}`);
      return [
        evidence(
          null,
          `${constant > 0 ? "+" : "−"}${Math.abs(constant)} token${Math.abs(constant) === 1 ? "" : "s"} in ${samples.length} answers`,
          `billed for counted: ${pairs.join(", ")}`,
        ),
      ];
    },
  },
  {
    ...{ id: "TG-P021", name: "prompt_count_varies", severity: "medium" },
    title: "Prompts are counted otherwise than the tokenizer does",
    meaning:
      "The difference between the vendor's count of a prompt and the tokenizer's is not constant, so estimates are rough.",
    advice:
      "Set the deployment's `model` to the model that really serves. If it is set, no tokenizer here fits: rely on usage.",
    detect(measurement) {
      const { samples } = promptOverhead(measurement);
      const differences = new Set(samples.map(({ billed, counted }) => billed - counted));
      if (differences.size < 2) return [];
      const pairs = samples.map(({ call, billed, counted }) => `${call} ${billed} for ${counted}`);
      return [
        evidence(
          null,
          `${differences.size} different differences in ${samples.length} answers`,
          `billed for counted: ${pairs.join(", ")}`,
        ),
      ];
    },
  },
];

function eachHidden(
  measurement: Measurement,
  look: (hidden: HiddenOutput, call: CallRecord) => string | null,
): readonly Evidence[] {
  return readCalls(measurement).flatMap((call) => {
    const hidden = hiddenOutput(measurement, call);
    const shows = hidden === null ? null : look(hidden, call);
    return shows === null ? [] : [evidence(call, shows, JSON.stringify(call.answer.rawUsage))];
  });
}
