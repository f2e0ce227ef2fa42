/** The bare relay: what Node costs without any gateway. `node:http` in front, undici's dispatch behind, bytes passed on. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";

export function main([upstream = ""]: readonly string[]): void {
  const target = new URL(upstream);
  const pool = new Pool(target.origin, { pipelining: 1, connections: null });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = target.pathname.replace(/\/$/, "") + (request.url ?? "").replace(/^\/v1/, "");
      const headers = { "content-type": "application/json", authorization: "Bearer k" };
      pool.dispatch(
        { path, method: "POST", headers, body: Buffer.concat(chunks) },
        {
          onRequestStart: (controller) =>
            void response.on(
              "close",
              () => response.writableFinished || controller.abort(new Error("client left")),
            ),
          onResponseStart: (_controller, status, given) =>
            void response.writeHead(status, { "content-type": String(given["content-type"]) }),
          onResponseData: (_controller, chunk) => void response.write(chunk),
          onResponseEnd: () => void response.end(),
          onResponseError: () => void response.destroy(),
        },
      );
    });
  });
  server.keepAliveTimeout = 120_000;
  server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.on("disconnect", () => process.exit());
}
