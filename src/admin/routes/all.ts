import type { AdminRoute } from "../route.ts";
import { accountRoutes } from "./accounts.ts";
import { consoleRoutes } from "./console.ts";
import { estimationRoutes } from "./estimation.ts";
import { grantRoutes } from "./grants.ts";
import { keyRoutes } from "./keys.ts";
import { ledgerRoutes } from "./ledger.ts";
import { modelRoutes } from "./models.ts";
import { operationRoutes } from "./operation.ts";
import { overviewRoutes } from "./overview.ts";
import { priceRoutes } from "./prices.ts";
import { probeRoutes } from "./probe.ts";
import { probePlanRoutes } from "./probe-plan.ts";
import { reportRoutes } from "./reports.ts";
import { requestRoutes } from "./requests.ts";
import { usageRoutes } from "./usage.ts";

/** Every route of the admin API: what is registered, documented and tested is this list. */
export const adminRoutes: readonly AdminRoute[] = [
  ...accountRoutes,
  ...grantRoutes,
  ...keyRoutes,
  ...requestRoutes,
  ...usageRoutes,
  ...ledgerRoutes,
  ...priceRoutes,
  ...operationRoutes,
  ...probeRoutes,
  ...overviewRoutes,
  ...reportRoutes,
  ...estimationRoutes,
  ...modelRoutes,
  ...consoleRoutes,
  ...probePlanRoutes,
];
