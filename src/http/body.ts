import type { FastifyRequest } from "fastify";
import type { Authenticate } from "./authenticate.ts";

/** Room that a body gets at first, unless it announces less. It doubles as bytes arrive, whatever length was announced. */
const firstRoomBytes = 16_384;

/** Why a body was not read to its end: 413 when it is too long, 400 when the client went away in the middle. */
export class BodyError extends Error {
  readonly statusCode: 413 | 400;
  constructor(statusCode: 413 | 400, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/**
 * Reads the bodies of requests with a good key; strangers' bytes are thrown away as they come, so that nobody without a
 * key fills this process's memory. Their request is refused where it is handled. Throws a `BodyError`.
 */
export function createBodyReader(authenticate: Authenticate, bytesMax: number) {
  return async (request: FastifyRequest): Promise<Buffer> => {
    const isKnown = await authenticate(request.headers).then(
      (known) => known.ok,
      // Who cannot be looked up now is told so by the handler, which asks the same question.
      () => false,
    );
    if (isKnown) return collect(request, bytesMax);
    request.raw.resume();
    return Buffer.alloc(0);
  };
}

/**
 * The bytes in one piece. They are copied as they come: a buffer for each of ten million chunks of one byte would take
 * gigabytes for a body of ten megabytes.
 */
function collect({ raw }: FastifyRequest, bytesMax: number): Promise<Buffer> {
  const stated = Number(raw.headers["content-length"]);
  const announced = Number.isSafeInteger(stated) ? stated : bytesMax;
  return new Promise((resolve, reject) => {
    const refuse = (): void => {
      stop();
      reject(new BodyError(413, `The body exceeds ${bytesMax} bytes.`));
    };
    let room = Buffer.allocUnsafe(Math.min(announced, firstRoomBytes));
    let filled = 0;
    const onData = (piece: Buffer): void => {
      const needed = filled + piece.length;
      if (needed > bytesMax) {
        refuse();
        return;
      }
      if (needed > room.length) {
        const larger = Buffer.allocUnsafe(Math.min(Math.max(room.length * 2, needed), bytesMax));
        room.copy(larger, 0, 0, filled);
        room = larger;
      }
      piece.copy(room, filled);
      filled = needed;
    };
    const onEnd = (): void => {
      stop();
      resolve(room.subarray(0, filled));
    };
    const onError = (): void => {
      stop();
      reject(new BodyError(400, "The connection ended before the whole body had come."));
    };
    const stop = (): void => {
      raw.off("data", onData).off("end", onEnd).off("error", onError).off("close", onError);
      // Whatever still comes is thrown away; a listener must stay, for an error without one ends the process.
      raw.on("error", () => undefined).resume();
    };
    if (announced > bytesMax) return refuse();
    raw.on("data", onData).on("end", onEnd).on("error", onError).on("close", onError);
  });
}
