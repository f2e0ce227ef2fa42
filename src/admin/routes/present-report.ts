import { presentAccount } from "../../billing/present.ts";
import { type CreditUnit, formatCredits } from "../../core/money.ts";
import type { AccountReport } from "../../ports-console.ts";

export const presentReport = (report: AccountReport, credit: CreditUnit) => ({
  ...presentAccount(report, credit),
  live_keys: report.liveKeys,
  spent_24h: formatCredits(report.spent24h, credit),
  spent_7d: formatCredits(report.spent7d, credit),
  spent_30d: formatCredits(report.spent30d, credit),
  hours_left: report.hoursLeft,
});
