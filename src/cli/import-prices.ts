import { readPrices } from "../config/load-prices.ts";
import { type AdminClient, RefusedError } from "./client.ts";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";

/**
 * Publishes every price of a file, in its order. Each needs its `from`, so that the same file imported again changes
 * nothing. The whole file is checked before the first one is sent.
 */
export async function importPrices(work: {
  readonly client: AdminClient;
  readonly terminal: Terminal;
  readonly text: string;
  readonly file: string;
}): Promise<{ readonly published: number; readonly known: number }> {
  const { client, terminal } = work;
  const prices = readPrices(work.text, work.file, terminal.env);
  const undated = prices.find((price) => price.from === undefined);
  if (undated !== undefined) {
    throw new CliError(
      exitCodes.usage,
      `Cannot import ${work.file}: the price of ${undated.model} has no "from"; say from when it holds.`,
    );
  }
  let published = 0;
  let known = 0;
  for (const price of prices) {
    try {
      await client.post("/prices", { ...price });
      published += 1;
    } catch (error) {
      if (!(error instanceof RefusedError) || error.code !== "price_exists") throw error;
      terminal.note(`${price.model}: there is a price from ${price.from} on already; it stays as it is.`);
      known += 1;
    }
  }
  return { published, known };
}
