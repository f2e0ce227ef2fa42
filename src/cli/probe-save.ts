import { writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { stringify } from "yaml";
import type { Config } from "../config/config.ts";
import type { ProbeReport } from "../probe/report-schema.ts";
import type { ProbeTarget } from "../probe/types.ts";
import { DirectoryLocked } from "../store/directory-lock.ts";
import { createLessonStore } from "../store/lessons.ts";
import { migrate } from "../store/migrate.ts";
import { openStore } from "./settings.ts";
import { CliError, exitCodes } from "./terminal.ts";

/** Where lessons are kept; opened before anything is spent, so that a probe is never made in vain. */
export interface LessonKeeper {
  keep(target: ProbeTarget, report: ProbeReport): Promise<void>;
  close(): Promise<void>;
}

/**
 * The gateway's own store. Null when a running server has it open for itself: then the server must make the probe. On
 * PostgreSQL running gateways read what is kept within five seconds.
 */
export async function openLessonKeeper(config: Config): Promise<LessonKeeper | null> {
  try {
    const db = await openStore(config);
    await migrate(db);
    const store = createLessonStore(db);
    return {
      async keep({ route }, report) {
        for (const lesson of report.lessons) await store.put(route.endpoint, route.deployment, lesson);
      },
      close: () => db.close(),
    };
  } catch (error) {
    if (error instanceof DirectoryLocked) return null;
    throw error;
  }
}

const quirksSchema = "tollgate.quirks/1";
const extensions = [".yaml", ".yml", ".json"];

/** Refuses what is no name of a quirks file: `--save` before an endpoint's name would swallow it. */
export function checkQuirksFile(file: string): void {
  if (extensions.includes(extname(file).toLowerCase())) return;
  throw new CliError(
    exitCodes.usage,
    `Cannot save to ${JSON.stringify(file)}: write a name that ends in .yaml or .json, or put --save behind the endpoint's name.`,
  );
}

/** Writes what was learned for people and other programs. */
export async function writeQuirks(cwd: string, file: string, report: ProbeReport): Promise<void> {
  const { kind, base_url, deployment, model, api_version, limit_parameter } = report.environment;
  const quirks = {
    schema: quirksSchema,
    at: report.at,
    ...{ kind, base_url, deployment, model, api_version, limit_parameter },
    lessons: report.lessons,
    findings: report.findings.map(({ id, name }) => `${id} ${name}`),
  };
  const text =
    extname(file).toLowerCase() === ".json" ? `${JSON.stringify(quirks, null, 2)}\n` : stringify(quirks);
  try {
    await writeFile(resolve(cwd, file), text);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CliError(exitCodes.failed, `Cannot write ${file}: ${reason}.`, { cause: error });
  }
}
