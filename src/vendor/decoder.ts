import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** Takes a compressed body piece by piece and gives it out as it was before. */
export interface Decoder {
  /** False: nothing more should be written until `onDrain` was called. */
  write(chunk: Uint8Array): boolean;
  /** The body is whole; `onEnd` or `onError` follows. */
  end(): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

export interface DecoderEvents {
  onChunk(chunk: Uint8Array): void;
  onEnd(): void;
  onDrain(): void;
  onError(error: Error): void;
}

const decoders = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
export type Encoding = keyof typeof decoders;

/**
 * The encoding of a body, `null` when it is plain, or `"unknown"`. No vendor is asked to compress, but proxies in front of
 * some do so whatever is asked.
 */
export function encodingOf(header: string | undefined): Encoding | "unknown" | null {
  const name = header?.trim().toLowerCase();
  if (name === undefined || name === "" || name === "identity") return null;
  return Object.hasOwn(decoders, name) ? (name as Encoding) : "unknown";
}

/** Events are called in later turns, never within `write`. What is broken or cut off ends in `onError`. */
export function startDecoder(encoding: Encoding, events: DecoderEvents): Decoder {
  const stream = decoders[encoding]();
  stream.on("data", (chunk: Uint8Array) => events.onChunk(chunk));
  stream.on("end", () => events.onEnd());
  stream.on("drain", () => events.onDrain());
  stream.on("error", (error) => events.onError(error));
  return {
    write: (chunk) => stream.write(chunk),
    end: () => stream.end(),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    destroy: () => stream.destroy(),
  };
}
