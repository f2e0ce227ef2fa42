import { formatUsd, type PicoUsd, sumPico } from "../core/money.ts";
import { limitParameter } from "../core/parameters.ts";
import type { PriceBook, PriceRow } from "../core/prices.ts";
import { largestCost } from "../probe/budget.ts";
import { showUsd } from "../probe/figures.ts";
import { allCalls } from "../probe/plan.ts";
import type { ProbeTarget } from "../probe/types.ts";
import { amountColumn, column, formatTable } from "./output.ts";
import type { Terminal } from "./terminal.ts";

interface PlanTerms {
  /** The price that was given, before that of the book. */
  readonly row: PriceRow | null;
  readonly book: PriceBook;
  readonly maxCost: PicoUsd;
  readonly asJson: boolean;
}

/** `--dry-run`: the calls that a probe would make, and the most that each can cost. Nothing is sent. */
export function printPlan(terminal: Terminal, target: ProbeTarget, terms: PlanTerms): void {
  const { route } = target;
  const row = terms.row ?? terms.book.find(route.provider, route.model, Date.now());
  const limit = limitParameter({ model: route.model, apiVersion: route.apiVersion, lessons: [] });
  const calls = allCalls(limit).map((plan) => ({
    plan,
    largest: row === null ? null : largestCost(plan, row),
  }));
  const total =
    row === null ? null : sumPico(calls.flatMap(({ largest }) => (largest === null ? [] : [largest])));
  if (terms.asJson) {
    terminal.print(
      JSON.stringify({
        schema: "tollgate.probe-plan/1",
        deployment: route.deployment,
        max_cost_usd: formatUsd(terms.maxCost),
        largest_cost_usd: total === null ? null : formatUsd(total),
        calls: calls.map(({ plan, largest }) => {
          const { messages: _, ...sent } = plan.body;
          return {
            id: plan.id,
            title: plan.title,
            sent,
            largest_cost_usd: largest === null ? null : formatUsd(largest),
          };
        }),
      }),
    );
    return;
  }
  const rows = calls.map(({ plan, largest }) => ({
    id: plan.id,
    title: plan.title,
    largest: largest === null ? null : showUsd(largest),
  }));
  const columns = [column("CALL", "id"), column("WHAT", "title"), amountColumn("AT MOST", "largest")];
  terminal.print(formatTable(rows, columns, terminal.hasColour).trimEnd());
  terminal.note(
    total === null
      ? `No price is known for ${route.model}: what this costs is not known either; give --price.`
      : explainTotal(total, terms.maxCost),
  );
  terminal.note(
    "Should the limit parameter be refused, the first call is made again with the other name. Nothing was sent.",
  );
}

function explainTotal(total: PicoUsd, maxCost: PicoUsd): string {
  const sum = `Together at most ${showUsd(total)}, by the dearest price that could be served`;
  if (total <= maxCost) return `${sum}; allowed are ${showUsd(maxCost)}.`;
  return `${sum}. Allowed are ${showUsd(maxCost)}: what was really spent counts, and calls that might exceed it are left out.`;
}
