import type { ReactNode } from "react";
import type { Overview } from "../../api/types.ts";
import { isZero } from "../../lib/amount.ts";
import { exactShare } from "../../lib/certainty.ts";
import { addressOf } from "../../lib/router.ts";
import { formatAgo, formatCount, formatDuration } from "../../lib/time.ts";
import { Amount } from "../../ui/amount.tsx";
import { Icon } from "../../ui/icon.tsx";

type Light = "good" | "warn" | "bad" | "plain";

interface Item {
  readonly name: string;
  readonly light: Light;
  readonly value: ReactNode;
  readonly note: ReactNode;
  readonly to: string;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** A stream may run for ten minutes; what is older deserves a look. */
const oldHoldMs = 15 * 60_000;
const veryOldHoldMs = 60 * 60_000;

type Period = Readonly<Record<"range" | "from" | "to", string | undefined>>;

/** Is the money right? Each light leads to the page that says more. */
export function IntegrityStrip({
  overview,
  period,
  nowMs,
}: {
  overview: Overview;
  period: Period;
  nowMs: number;
}): ReactNode {
  const items = [
    balanceItem(overview, nowMs),
    exactItem(overview, period),
    holdItem(overview, nowMs),
    lossItem(overview, period),
  ];
  return (
    <ul className="integrity" aria-label="Integrity of the books">
      {items.map((item) => (
        <li key={item.name}>
          <a href={addressOf(item.to, item.params)} className={item.light}>
            <Icon name={item.light === "bad" || item.light === "warn" ? "warning" : "check"} />
            <span>
              <span className="name">{item.name}</span>
              <span className="value">{item.value}</span>
              <span className="note">{item.note}</span>
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function balanceItem({ integrity: { check } }: Overview, nowMs: number): Item {
  const about = { name: "Ledger imbalance", to: "/ledger", params: {} };
  if (check === null)
    return { ...about, light: "plain", value: "pending", note: "every entry is being summed" };
  const isSound = isZero(check.imbalance_usd) && isZero(check.drift_usd);
  const wrong = isZero(check.imbalance_usd) ? check.drift_usd : check.imbalance_usd;
  return {
    ...about,
    light: isSound ? "good" : "bad",
    value: <Amount value={wrong} unit="usd" form="exact" />,
    note: `${isSound ? "all entries sum to 0" : "verify the ledger now"}, ${formatAgo(check.checked_at, nowMs)}`,
  };
}

function exactItem({ current: { by_source: sources } }: Overview, period: Period): Item {
  return {
    name: "Charged exactly",
    light: sources.estimated === 0 ? "good" : sources.estimated * 20 > sources.vendor ? "warn" : "good",
    value: exactShare(sources) ?? "—",
    note:
      sources.estimated === 0 ? "no request was estimated" : `${formatCount(sources.estimated)} estimated`,
    to: "/requests",
    params: { ...period, source: sources.estimated === 0 ? undefined : "estimated" },
  };
}

function holdItem({ integrity }: Overview, nowMs: number): Item {
  const { oldest_hold: oldest, open_holds: count, held } = integrity;
  const about = { name: "Oldest open hold", to: "/requests", params: { status: "open", range: "30d" } };
  if (oldest === null) return { ...about, light: "good", value: "none", note: "no credit is held" };
  const ageMs = Math.max(0, nowMs - Date.parse(oldest.created_at));
  return {
    ...about,
    light: ageMs > veryOldHoldMs ? "bad" : ageMs > oldHoldMs ? "warn" : "good",
    value: formatDuration(ageMs),
    note: (
      <>
        {formatCount(count)} open, <Amount value={held} /> credits held
      </>
    ),
  };
}

function lossItem({ current }: Overview, period: Period): Item {
  const isNone = isZero(current.loss_usd);
  return {
    name: "Loss",
    light: isNone ? "good" : "warn",
    value: <Amount value={current.loss_usd} unit="usd" />,
    note: isNone ? "no vendor billed beyond a hold" : "billed by vendors beyond holds",
    to: "/requests",
    params: period,
  };
}
