import { useEffect, useState } from "react";
import { addressFor, adminPath } from "./client.ts";
import type { RequestNews, RequestRecord } from "./types.ts";

export interface Tail {
  readonly rows: readonly RequestRecord[];
  readonly isConnected: boolean;
  /** Requests that came faster than they could be shown. */
  readonly skipped: number;
}

/** Rows kept on the screen. */
const rowsMax = 200;
const nothing: Tail = { rows: [], isConnected: false, skipped: 0 };

/** Requests as they begin and end, newest first, over one stream that the browser keeps up by itself. */
export function useTail(isOn: boolean): Tail {
  const [tail, setTail] = useState(nothing);
  useEffect(() => {
    setTail(nothing);
    if (!isOn) return;
    const source = new EventSource(addressFor(adminPath("/requests/tail")));
    source.onopen = () => setTail((old) => ({ ...old, isConnected: true }));
    source.onerror = () => setTail((old) => ({ ...old, isConnected: false }));
    source.onmessage = (event: MessageEvent<string>) => {
      const news = JSON.parse(event.data) as RequestNews;
      setTail((old) => ({
        rows: mergeRows(news.requests, old.rows).slice(0, rowsMax),
        isConnected: true,
        skipped: old.skipped + news.skipped,
      }));
    };
    return () => source.close();
  }, [isOn]);
  return tail;
}

/** Newer rows take the place of older ones with the same id; newest first, as ids sort by time. */
export function mergeRows(newer: readonly RequestRecord[], older: readonly RequestRecord[]): RequestRecord[] {
  const byId = new Map([...older, ...newer].map((row) => [row.id, row]));
  return [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
}
