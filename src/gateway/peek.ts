import type { VendorAnswer } from "../ports.ts";

/** Bytes that may stand before a JSON text: blanks that keep a connection alive, and a BOM. */
const leading: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);
const openBrace = 0x7b;

/**
 * Whether a body begins as one JSON object, for answers whose content type does not tell. Waits for the first byte that is
 * not blank; the answer that is returned still has every byte, and fails where the given one did.
 */
export async function peekForJson(answer: VendorAnswer): Promise<{ isJson: boolean; answer: VendorAnswer }> {
  const iterator = answer.body[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let failure: { readonly error: unknown } | null = null;
  let first: number | undefined;
  while (first === undefined && failure === null) {
    try {
      const next = await iterator.next();
      if (next.done === true) break;
      seen.push(next.value);
      first = next.value.find((byte) => !leading.has(byte));
    } catch (error) {
      failure = { error };
    }
  }
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    yield* seen;
    if (failure !== null) throw failure.error;
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  const body = { [Symbol.asyncIterator]: rest, destroy: (error?: Error) => answer.body.destroy(error) };
  return { isJson: first === openBrace, answer: { ...answer, body } };
}
