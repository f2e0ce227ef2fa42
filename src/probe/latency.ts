import { streams } from "./facts.ts";
import { medianOf } from "./figures.ts";
import type { Measurement } from "./types.ts";

/** Whole ms over some streams. One sample misleads, so the span is given too. */
export interface Spread {
  readonly samples: number;
  readonly leastMs: number;
  readonly medianMs: number;
  readonly mostMs: number;
}

export interface Latency {
  /** From the call to the first byte of the stream, and to the first piece of text. */
  readonly firstByte: Spread | null;
  readonly firstText: Spread | null;
  /** Between pieces of text, on average within each stream; a piece is about a token. */
  readonly perPiece: Spread | null;
}

export function latencyOf(measurement: Measurement): Latency {
  const calls = streams(measurement);
  return {
    firstByte: spreadOf(calls.map(({ firstByteMs }) => firstByteMs)),
    firstText: spreadOf(calls.map(({ stream }) => stream.firstTextMs)),
    perPiece: spreadOf(
      calls.map(({ stream: { firstTextMs, lastTextMs, textPieces } }) =>
        firstTextMs === null || lastTextMs === null || textPieces < 2
          ? null
          : (lastTextMs - firstTextMs) / (textPieces - 1),
      ),
    ),
  };
}

function spreadOf(times: readonly (number | null)[]): Spread | null {
  const known = times.filter((time) => time !== null).map(Math.round);
  const medianMs = medianOf(known);
  return medianMs === null
    ? null
    : { samples: known.length, leastMs: Math.min(...known), medianMs, mostMs: Math.max(...known) };
}

/** Whether an address is of this machine, where nothing travels over a network. */
export function isLocalAddress(address: string): boolean {
  const { hostname } = new URL(address);
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}
