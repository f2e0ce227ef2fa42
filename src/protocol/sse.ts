/**
 * Splits a vendor's event stream at event ends, on bytes, however the network cut them. The bytes of each event are kept
 * as they came, so that they can be forwarded unchanged; only a copy is decoded. Rules: WHATWG event stream (LF, CRLF, CR,
 * comments, several data lines, BOM).
 */
export interface SseEvent {
  /** The event as received, its ending blank line included. */
  readonly bytes: Uint8Array;
  /** The joined data lines; null for comments and other events without data. */
  readonly data: string | null;
  readonly name: string | null;
}

/** The stream broke a limit or the framing; `message` says which. */
export class SseFault extends Error {
  override readonly name = "SseFault";
}

const lf = 10;
const cr = 13;
const nothing = new Uint8Array(0);
/** Only the stream begins with a BOM, not each event. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class SseSplitter {
  private readonly maxEventBytes: number;
  private buffer: Uint8Array = nothing;
  /** The buffer when it is ours to append to; bytes once given out are never overwritten. */
  private owned: Uint8Array | null = null;
  private end = 0;
  /** Where the scan goes on, and whether the line there is still empty. */
  private scan = 0;
  private isLineEmpty = true;
  private isFirst = true;
  private isAfterCr = false;
  private start = 0;

  constructor(maxEventBytes: number) {
    this.maxEventBytes = maxEventBytes;
  }

  /** Adds bytes and returns the events they complete. Throws `SseFault` when one event exceeds the limit. */
  push(chunk: Uint8Array): SseEvent[] {
    this.append(chunk);
    const { buffer, end } = this;
    const events: SseEvent[] = [];
    let { scan, isLineEmpty, isAfterCr } = this;
    while (scan < end) {
      const byte = buffer[scan++];
      if (byte === lf && isAfterCr) {
        isAfterCr = false;
        continue; // the second half of CRLF
      }
      isAfterCr = byte === cr;
      if (byte !== lf && byte !== cr) {
        isLineEmpty = false;
      } else if (isLineEmpty) {
        if (byte === cr && scan === end && scan - 2 >= this.start && buffer[scan - 2] === lf) {
          // Lines end in CRLF here: the LF of this one is on its way, and the event's.
          scan -= 1;
          isAfterCr = false;
          break;
        }
        // The LF of a CRLF that ends an event belongs to it when it is here already.
        if (isAfterCr && scan < end && buffer[scan] === lf) {
          scan += 1;
          isAfterCr = false;
        }
        this.add(events, buffer.subarray(this.start, scan));
        this.start = scan;
      } else {
        isLineEmpty = true;
      }
    }
    this.scan = scan;
    this.isLineEmpty = isLineEmpty;
    this.isAfterCr = isAfterCr;
    if (end - this.start > this.maxEventBytes) {
      throw new SseFault(`one event exceeds ${this.maxEventBytes} bytes`);
    }
    // A stream between two events keeps no network buffer.
    if (this.start === end) this.buffer = nothing;
    return events;
  }

  /**
   * What the stream's end left behind. A last event that lacks only its blank line is completed and returned;
   * a half one is not: it is never shown to anybody.
   */
  finish(): { event: SseEvent | null; isTruncated: boolean } {
    const rest = this.buffer.subarray(this.start, this.end);
    this.start = this.end;
    if (isBlank(rest)) return { event: null, isTruncated: false };
    const event = readEvent(rest, this.isFirst);
    if (event.data === null) return { event: null, isTruncated: rest[0] !== 58 /* a comment */ };
    if (!event.data.trimStart().startsWith("[DONE]") && !isJson(event.data))
      return { event: null, isTruncated: true };
    const last = rest[rest.length - 1];
    const ending = last === lf || last === cr ? [lf] : [lf, lf];
    const bytes = new Uint8Array(rest.length + ending.length);
    bytes.set(rest);
    bytes.set(ending, rest.length);
    return { event: { ...event, bytes }, isTruncated: false };
  }

  /** Blank lines in a row are one event without data: there may be as many as there are bytes. */
  private add(events: SseEvent[], bytes: Uint8Array): void {
    const last = events.at(-1);
    if (!hasOnlyLineEnds(bytes)) {
      events.push(readEvent(bytes, this.isFirst));
      this.isFirst = false;
      return;
    }
    this.isFirst = false;
    if (last === undefined || !hasOnlyLineEnds(last.bytes)) {
      events.push({ bytes, data: null, name: null });
      return;
    }
    // They lie side by side in the buffer.
    const joined = new Uint8Array(bytes.buffer, last.bytes.byteOffset, last.bytes.length + bytes.length);
    events[events.length - 1] = { bytes: joined, data: null, name: null };
  }

  /** Appends to a buffer that grows by doubling, so that a stream fed byte by byte costs no more than its length. */
  private append(chunk: Uint8Array): void {
    if (this.start === this.end) {
      // Nothing pending: scan the chunk where it lies.
      this.buffer = chunk;
      this.start = 0;
      this.scan = 0;
      this.end = chunk.length;
      return;
    }
    const pending = this.end - this.start;
    const needed = pending + chunk.length;
    // A buffer taken over from the network is never written to: `capacity` of our own ones is at least doubled.
    const target =
      this.owned !== null && this.owned === this.buffer && this.owned.length - this.end >= chunk.length
        ? this.owned
        : null;
    if (target === null) {
      const grown = new Uint8Array(Math.max(1024, needed * 2));
      grown.set(this.buffer.subarray(this.start, this.end));
      this.owned = grown;
      this.buffer = grown;
      this.scan -= this.start;
      this.start = 0;
      this.end = pending;
    }
    this.buffer.set(chunk, this.end);
    this.end += chunk.length;
  }
}

function readEvent(bytes: Uint8Array, isFirst: boolean): SseEvent {
  const decoded = decoder.decode(bytes);
  const text = isFirst && decoded.startsWith("\ufeff") ? decoded.slice(1) : decoded;
  // The common case, one data line and LF: two searches and no splitting.
  if (text.startsWith("data: ") && text.indexOf("\n") === text.length - 2 && !text.includes("\r")) {
    return { bytes, data: text.slice(6, -2), name: null };
  }
  return { bytes, ...readFields(text) };
}

function readFields(text: string): { data: string | null; name: string | null } {
  let data: string[] | null = null;
  let name: string | null = null;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === "" || line.startsWith(":")) continue;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") {
      if (data === null) data = [value];
      else data.push(value);
    } else if (field === "event") name = value;
  }
  return { data: data === null ? null : data.join("\n"), name };
}

const isLineEnd = (byte: number | undefined): boolean => byte === lf || byte === cr;
const isBlank = (bytes: Uint8Array): boolean => bytes.every(isLineEnd);
/** Of an event that has ended: only the LF of a CRLF cut by the network may stand before its first line. */
const hasOnlyLineEnds = (bytes: Uint8Array): boolean =>
  isLineEnd(bytes[0]) && (bytes.length === 1 || isLineEnd(bytes[1]));

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** One event with JSON data, in the form every client of the OpenAI API reads. */
export const dataEvent = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`data: ${JSON.stringify(value)}\n\n`);
