import { connect, createServer, type Server, type Socket } from "node:net";
import type { Random } from "../../src/simulator/seeded.ts";

export interface LostReplies {
  readonly port: number;
  /** Until this is called every answer arrives. */
  begin(): void;
  /** Answers that were cut off so far. */
  count(): number;
  close(): Promise<void>;
}

/** The least bytes of what only a ledger batch sends. */
const batchBytes = 700;

/**
 * A way to PostgreSQL on which a share of the answers to ledger batches never arrives: the statement was sent whole, so the
 * server commits it, and then both sides of the connection are cut.
 */
export async function startLostReplies(target: number, share: number, random: Random): Promise<LostReplies> {
  let lost = 0;
  let isOn = false;
  const open = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    let sent = 0;
    open.add(client);
    client.on("data", (chunk) => {
      sent += chunk.length;
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      const wasBatch = sent >= batchBytes;
      sent = 0;
      if (isOn && wasBatch && random.fraction() < share) {
        lost += 1;
        client.destroy();
        // The server goes on with what it was given, and finds out later that nobody listens.
        upstream.end();
      } else client.write(chunk);
    });
    const end = (): void => {
      open.delete(client);
      client.destroy();
      upstream.destroy();
    };
    client.on("close", () => (upstream.writableEnded ? open.delete(client) : end()));
    upstream.on("close", end);
    for (const socket of [client, upstream]) socket.on("error", end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
  return {
    port: address.port,
    begin() {
      isOn = true;
    },
    count: () => lost,
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
