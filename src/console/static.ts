import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { StaticFile } from "./files.ts";

/**
 * No inline script, no inline style, nothing from elsewhere, no frame around it. The pages style elements through the
 * DOM (`element.style`), which this policy does not concern, so not even `unsafe-inline` for styles is needed.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const headers = {
  "content-security-policy": contentSecurityPolicy,
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

/**
 * Serves a page of the console under `path`: its document at `path/`, its assets below. All links are relative, so that
 * a proxy may put any prefix before it.
 */
export function addPage(
  app: FastifyInstance,
  path: string,
  about: { files: ReadonlyMap<string, StaticFile>; document: string },
): void {
  const { files, document } = about;
  const last = path.slice(path.lastIndexOf("/") + 1);
  app.get(path, async (_request, reply) => reply.headers(headers).redirect(`${last}/`, 308));
  app.get(`${path}/`, async (request, reply) => send(files.get(document), request, reply));
  app.get(`${path}/assets/*`, async (request, reply) => {
    const name = (request.params as { "*": string })["*"];
    return send(files.get(`assets/${name}`), request, reply);
  });
}

function send(file: StaticFile | undefined, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(headers);
  if (file === undefined) {
    const message = request.url.includes("/assets/")
      ? "There is no such file in this version; load the page again."
      : "The console is not built; run `npm run build`.";
    return reply
      .code(404)
      .header("cache-control", "no-store")
      .type("text/plain; charset=utf-8")
      .send(message);
  }
  reply.header("cache-control", file.isHashed ? "public, max-age=31536000, immutable" : "no-cache");
  reply.header("vary", "accept-encoding").type(file.type);
  const { encoding, bytes } = choose(file, request.headers["accept-encoding"] ?? "");
  if (encoding !== null) reply.header("content-encoding", encoding);
  return reply.send(bytes);
}

function choose(file: StaticFile, accepted: string): { encoding: string | null; bytes: Uint8Array } {
  const takes = (name: string): boolean =>
    new RegExp(`(^|,)\\s*${name}\\s*(,|$|;(?!\\s*q=0(\\.0*)?\\s*(,|$)))`, "i").test(accepted);
  if (file.brotli !== null && takes("br")) return { encoding: "br", bytes: file.brotli };
  if (file.gzip !== null && takes("gzip")) return { encoding: "gzip", bytes: file.gzip };
  return { encoding: null, bytes: file.bytes };
}
