/**
 * Requests that a proxy and a server could cut at different places. Each has a second request hidden inside, which lists
 * models; `mayServe` is how many requests an honest reading of the bytes has.
 */
export interface Smuggling {
  readonly name: string;
  readonly mayServe: 0 | 1;
  readonly bytes: (key: string) => string;
}

const path = "/v1/chat/completions";
const hidden = (key: string): string =>
  `GET /v1/models HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${key}\r\n\r\n`;
const json = '{"model":"evil","max_tokens":5,"messages":[{"role":"user","content":"x"}]}';
const chunked = `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`;

/** A POST whose framing is `headers`, then `body`, then the hidden request. */
const post =
  (headers: readonly string[], body: string, version = "HTTP/1.1") =>
  (key: string): string =>
    `POST ${path} ${version}\r\nHost: gateway\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n${headers.join("\r\n")}\r\n\r\n${body}${hidden(key)}`;

const refused = (name: string, bytes: Smuggling["bytes"]): Smuggling => ({ name, mayServe: 0, bytes });
const length = String(json.length);

export const smuggling: readonly Smuggling[] = [
  refused("length and chunks", post([`Content-Length: ${length}`, "Transfer-Encoding: chunked"], chunked)),
  refused("chunks and length", post(["Transfer-Encoding: chunked", `Content-Length: ${length}`], chunked)),
  refused("length 0 and chunks", post(["Content-Length: 0", "Transfer-Encoding: chunked"], chunked)),
  refused("two lengths that differ", post([`Content-Length: ${length}`, "Content-Length: 0"], json)),
  refused(
    "two lengths that are equal",
    post([`Content-Length: ${length}`, `Content-Length: ${length}`], json),
  ),
  refused("a list of lengths", post([`Content-Length: ${length}, ${length}`], json)),
  refused("a length with a sign", post([`Content-Length: +${length}`], json)),
  refused("a negative length", post(["Content-Length: -1"], json)),
  refused("a hexadecimal length", post(["Content-Length: 0x10"], json)),
  refused("a length with a dot", post([`Content-Length: ${length}.0`], json)),
  refused("a length beyond 64 bits", post(["Content-Length: 18446744073709551617"], json)),
  refused("an empty length", post(["Content-Length: "], json)),
  refused("a blank before the colon of the length", post([`Content-Length : ${length}`], json)),
  refused("a blank before the colon of the encoding", post(["Transfer-Encoding : chunked"], chunked)),
  refused("an unknown encoding", post(["Transfer-Encoding: xchunked"], chunked)),
  refused("chunked, then another encoding", post(["Transfer-Encoding: chunked, identity"], chunked)),
  refused("chunked twice in one header", post(["Transfer-Encoding: chunked, chunked"], chunked)),
  refused(
    "chunked, then gzip, in two headers",
    post(["Transfer-Encoding: chunked", "Transfer-Encoding: gzip"], chunked),
  ),
  refused("an encoding in quotes", post(['Transfer-Encoding: "chunked"'], chunked)),
  refused("an encoding after a vertical tab", post(["Transfer-Encoding:\u000bchunked"], chunked)),
  refused("an encoding on a folded line", post(["X: y", " Transfer-Encoding: chunked"], chunked)),
  refused("a folded length", post(["Content-Length:", ` ${length}`], json)),
  refused("a header name with a blank", post(["Content Length: 5"], json)),
  refused("a header without a colon", post(["Content-Length"], json)),
  refused("a NUL in a header", post(["X: a\u0000b", `Content-Length: ${length}`], json)),
  refused("a bare CR in a header", post([`X: a\rContent-Length: ${length}`], json)),
  refused("bare LF as line ends", (key) =>
    post([`Content-Length: ${length}`], json)(key).replaceAll("\r\n", "\n"),
  ),
  refused("a bare LF in a header", post([`X: y\nTransfer-Encoding: chunked`], chunked)),
  refused("a chunk size with 0x", post(["Transfer-Encoding: chunked"], `0x${chunked}`)),
  refused("a chunk size with a sign", post(["Transfer-Encoding: chunked"], `+${chunked}`)),
  refused("a negative chunk size", post(["Transfer-Encoding: chunked"], `-${chunked}`)),
  refused(
    "a chunk size beyond 64 bits",
    post(["Transfer-Encoding: chunked"], `1${"0".repeat(20)}\r\n${json}\r\n0\r\n\r\n`),
  ),
  refused(
    "a chunk that is longer than its size",
    post(["Transfer-Encoding: chunked"], `5\r\n${json}\r\n0\r\n\r\n`),
  ),
  refused(
    "a chunk without its line end",
    post(["Transfer-Encoding: chunked"], `${length}\r\n${json}0\r\n\r\n`),
  ),
  refused(
    "a chunk size ended by LF alone",
    post(["Transfer-Encoding: chunked"], `${json.length.toString(16)}\n${json}\r\n0\r\n\r\n`),
  ),
  refused(
    "a chunk extension with a line break",
    post(["Transfer-Encoding: chunked"], `${json.length.toString(16)};a=\n${json}\r\n0\r\n\r\n`),
  ),
  refused(
    "a huge chunk extension",
    post(
      ["Transfer-Encoding: chunked"],
      `${json.length.toString(16)};${"a".repeat(40_000)}\r\n${json}\r\n0\r\n\r\n`,
    ),
  ),
  refused("chunks in HTTP/1.0", post(["Transfer-Encoding: chunked"], chunked, "HTTP/1.0")),
  refused("HTTP/1.2", post([`Content-Length: ${length}`], json, "HTTP/1.2")),
  refused("HTTP/0.9", (key) => `GET /v1/models\r\n\r\n${hidden(key)}`),
  refused("a blank before the request line", (key) => ` ${post([`Content-Length: ${length}`], json)(key)}`),
  refused(
    "a tab in the request line",
    (key) => `POST\t${path}\tHTTP/1.1\r\nHost: gateway\r\n\r\n${hidden(key)}`,
  ),
  refused("headers of 20 kB", post([`X: ${"a".repeat(20_000)}`, `Content-Length: ${length}`], json)),
  refused(
    "3,000 headers",
    post([...Array.from({ length: 3_000 }, (_, index) => `X${index}: a`), `Content-Length: ${length}`], json),
  ),
  refused(
    "an address of 20 kB",
    (key) => `GET /v1/models?${"a".repeat(20_000)} HTTP/1.1\r\nHost: gateway\r\n\r\n${hidden(key)}`,
  ),
];
