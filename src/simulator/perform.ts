import type { Count } from "./answers.ts";
import { noCount } from "./attempt.ts";
import type { Directives } from "./directives.ts";
import type { FaultName } from "./faults.ts";
import type { Job } from "./job.ts";
import { type Pace, type Played, Player } from "./player.ts";
import type { Script } from "./script.ts";
import { createRandom } from "./seeded.ts";

/** A script, and what it is played with. */
export interface Play {
  readonly script: Script;
  readonly headers: Readonly<Record<string, string>>;
  /** Told when it is over, with what is billed. */
  readonly done?: (count: Count, played: Played) => void;
}

/** Plays an answer to its client, and puts on the bill what was generated. */
export function perform(job: Job, play: Play): void {
  const { attempt, answer, ask, directives } = job;
  const { response, fault } = attempt;
  const { settings, pacer } = attempt.vendor;
  const { socket } = response;
  if (fault === "surplus_bytes") response.on("finish", () => socket?.write(surplus));
  const begin = (): void => {
    const named = settings.profile.answerHeaders?.(job.context.id) ?? {};
    response.writeHead(200, { ...attempt.headers, ...named, ...play.headers });
    // The player writes chunked bodies to the socket itself, so the headers have to be there first.
    if (response.chunkedEncoding || ask.isStream) response.flushHeaders();
  };
  const done = (played: Played): void => {
    const { output, reasoning, aborted } = played;
    const isFull = aborted && settings.billOnAbort === "full" && fault !== "endless";
    const generated = isFull ? answer.count : { ...answer.count, output, reasoning };
    const count = fault === "error_first" ? noCount : generated;
    play.done?.(count, played);
    attempt.settle({
      count,
      reason: aborted ? "client_left" : fault === null ? "complete" : "fault",
      status: 200,
      aborted,
    });
  };
  const player = new Player({
    response,
    script: play.script,
    pace: readPace(settings, directives, fault),
    pacer,
    writes: settings.writes,
    random: createRandom(settings.seed, "cuts", job.context.id),
    outlivesClient: (!ask.isStream || ask.isBackground) && fault !== "endless",
    begin,
    done,
  });
  player.start();
}

/** Looks like the answer to a request that nobody sent. */
const surplus = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/** How fast this answer comes: its own directives first, then the fault `slow`, then the settings. */
export function readPace(settings: Pace, directives: Directives, fault: FaultName | null): Pace {
  const slow = fault === "slow" ? 5 : null;
  return {
    latencyMs: directives.latencyMs ?? settings.latencyMs,
    tokensPerSecond: directives.tokensPerSecond ?? slow ?? settings.tokensPerSecond,
  };
}
