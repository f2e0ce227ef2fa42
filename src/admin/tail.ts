import { idFloor } from "../lib/ids.ts";
import type { Clock, Observe } from "../ports.ts";
import type { RequestTailSource } from "../ports-console.ts";
import type { RequestRow } from "../ports-reports.ts";

export interface TailPorts {
  readonly source: RequestTailSource;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** What is new since the last look: each request when it begins and when it ends. `skipped` more did not fit. */
export interface TailNews {
  readonly requests: readonly RequestRow[];
  readonly skipped: number;
}

export interface Tail {
  /** Calls `listener` with what is new, about once a second, until the returned function is called. */
  listen(listener: (news: TailNews) => void): () => void;
  close(): void;
}

const pollMs = 1_000;
/** Rows of one look. A screen cannot show more in a second, and nobody can read them. */
const rowsMax = 200;
/** Ids come from each gateway's clock: what ended is looked for this far back, so that a clock that runs late hides nothing. */
const overlapMs = 15_000;

/** One look at the database per second, shared by all who watch; none while nobody does. */
export function createTail({ source, clock, observe }: TailPorts): Tail {
  const listeners = new Set<(news: TailNews) => void>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let look = startLook();
  const poll = async (): Promise<void> => {
    try {
      const news = await look(source, clock.now());
      if (news.requests.length > 0) for (const listener of listeners) listener(news);
    } catch (error) {
      observe({
        event: "fault",
        where: "request tail",
        error: error instanceof Error ? error.message : String(error),
      });
    }
    timer = listeners.size === 0 ? null : setTimeout(poll, pollMs).unref();
  };
  return {
    listen(listener) {
      listeners.add(listener);
      if (timer === null) {
        look = startLook();
        timer = setTimeout(poll, 0).unref();
      }
      return () => {
        listeners.delete(listener);
      };
    },
    close() {
      listeners.clear();
      if (timer !== null) clearTimeout(timer);
    },
  };
}

type Look = (source: RequestTailSource, nowMs: number) => Promise<TailNews>;

/** Remembers what was told: open ids until they end, and ended ids for as long as they may be looked at again. */
function startLook(): Look {
  let open = new Set<string>();
  const ended = new Set<string>();
  let since: number | null = null;
  return async (source, nowMs) => {
    const isFirst = since === null;
    since ??= nowMs;
    const floor = idFloor("req", Math.max(since, nowMs - overlapMs));
    const opened = await source.open(rowsMax);
    const openNow = new Set(opened.map((row) => row.id));
    const gone = [...open].filter((id) => !openNow.has(id));
    const closed = await source.ended({ afterId: floor, ids: gone, limit: rowsMax + 1 });
    // A request may end between the two looks: then its end is the news.
    const closedNow = new Set(closed.map((row) => row.id));
    const begun = opened.filter((row) => !closedNow.has(row.id) && (isFirst || !open.has(row.id)));
    const fresh = [...closed.filter((row) => !ended.has(row.id)), ...begun];
    for (const row of closed) ended.add(row.id);
    for (const id of ended) if (id < floor) ended.delete(id);
    open = openNow;
    const rows = fresh.slice(0, rowsMax);
    return { requests: rows, skipped: fresh.length - rows.length };
  };
}
