import type { ConsoleReports } from "../ports-console.ts";
import { createAccountReports } from "./account-reports.ts";
import type { Queryable } from "./db.ts";
import { createEstimationReports } from "./estimation-reports.ts";
import { createKeyDirectory } from "./key-directory.ts";
import { createTrafficReports } from "./traffic-reports.ts";

/** What the console asks beyond the lists of the admin API. Reads only. */
export const createConsoleReports = (db: Queryable): ConsoleReports => ({
  ...createAccountReports(db),
  ...createTrafficReports(db),
  ...createKeyDirectory(db),
  ...createEstimationReports(db),
});
