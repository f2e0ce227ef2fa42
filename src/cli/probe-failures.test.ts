import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Ran, runCommand } from "../../test/support/cli.ts";
import { type Simulator, startSimulator } from "../simulator/server.ts";

const key = "vendor-key-of-this-test-4711";
let azure: Simulator;
let clean: Simulator;
beforeAll(async () => {
  azure = await startSimulator({ profile: "azure", apiKeys: [key] });
  clean = await startSimulator({ profile: "clean", apiKeys: [key] });
});
afterAll(() => Promise.all([azure.close(), clean.close()]));

const env = { AZURE_OPENAI_API_KEY: key, OPENAI_API_KEY: key };
const run = async (line: string, more: Parameters<typeof runCommand>[1] = {}): Promise<Ran> => {
  const ran = await runCommand(line.split(" "), { env, ...more });
  expect(ran.out + ran.err).not.toContain(key);
  expect(ran.err).not.toMatch(/^ +at /m);
  return ran;
};
const onAzure = (rest: string): string =>
  `probe --base-url ${azure.url} --kind azure --api-version 2024-12-01-preview ${rest}`;
const lastLine = (text: string): string | undefined => text.trimEnd().split("\n").at(-1);

describe("an endpoint that cannot be measured", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });
  const serve = async (answer: RequestListener): Promise<string> => {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const probe = (url: string, rest = ""): Promise<Ran> =>
    run(`probe ${url}/v1 --model gpt-4o-mini ${rest}`.trim());
  const oneLine = ({ exitCode, out, err }: Ran): string => {
    expect(out).toBe("");
    // The first line says what is going to be done.
    expect(err.trimEnd().split("\n")).toHaveLength(2);
    return `${exitCode} ${lastLine(err)}`;
  };

  test("a dead host", async () => {
    expect(oneLine(await probe("http://127.0.0.1:9"))).toBe(
      "5 Cannot probe http://127.0.0.1:9/v1: the connection to the vendor failed (ECONNREFUSED); check the address and the network.",
    );
  });

  test("a name that does not exist", async () => {
    expect(oneLine(await probe("http://nothing.invalid"))).toMatch(
      /^5 Cannot probe http:\/\/nothing\.invalid\/v1: the connection to the vendor failed \((ENOTFOUND|EAI_AGAIN)\)/,
    );
  });

  test("a wrong key, on OpenAI's way and on Azure's", async () => {
    const wrong = { env: { OPENAI_API_KEY: "sk-wrong-key-0123456789", AZURE_OPENAI_API_KEY: "wrong" } };
    expect(oneLine(await run(`probe ${clean.url}/v1 --model gpt-4o-mini`, wrong))).toMatch(
      /^4 Cannot probe http:\/\/127\.0\.0\.1:\d+\/v1: the endpoint refuses the key \(HTTP 401: Incorrect API key provided: \[hidden\].*\); check environment variable OPENAI_API_KEY\.$/,
    );
    expect(oneLine(await run(onAzure("--deployment gpt-4o"), wrong))).toMatch(
      /^4 .*\(HTTP 401: Access denied due to invalid subscription key/,
    );
  });

  test("an HTML page of a proxy", async () => {
    const url = await serve((_, response) =>
      response
        .writeHead(502, { "content-type": "text/html" })
        .end("<html><h1>502 Bad Gateway</h1><hr>nginx</html>"),
    );
    expect(oneLine(await probe(url))).toBe(
      `5 Cannot probe ${url}/v1: it fails with HTTP 502 (502 Bad Gateway nginx); try again later, or check the address.`,
    );
  });

  test("an HTML page with status 200", async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome</html>"),
    );
    expect(oneLine(await probe(url))).toBe(
      `5 Cannot probe ${url}/v1: it answers HTTP 200 with something that is no JSON (Welcome); check the address, which must be the API's root.`,
    );
  });

  test("a host that hangs, before the head and in the body", async () => {
    const silent = await serve(() => undefined);
    expect(oneLine(await probe(silent, "--timeout 1"))).toBe(
      `5 Cannot probe ${silent}/v1: no complete answer within 1 s; it may hang, or need a longer --timeout.`,
    );
    const half = await serve(
      (_, response) => void response.writeHead(200, { "content-type": "application/json" }).write('{"id":'),
    );
    expect(oneLine(await probe(half, "--timeout 1"))).toContain("no complete answer within 1 s");
  });

  test("a redirect, to which no key is sent", async () => {
    let followed = 0;
    const elsewhere = await serve((_, response) => {
      followed += 1;
      response.end();
    });
    const url = await serve((_, response) =>
      response.writeHead(307, { location: `${elsewhere}/v1?token=x` }).end(),
    );
    expect(oneLine(await probe(url))).toBe(
      `5 Cannot probe ${url}/v1: it redirects to ${elsewhere}/v1 (HTTP 307), and a key is not sent on; give that address itself.`,
    );
    expect(followed).toBe(0);
  });

  test("a vendor that echoes the key everywhere", async () => {
    const url = await serve((request, response) =>
      response
        .writeHead(400, { "content-type": "application/json" })
        .end(JSON.stringify({ error: { message: `bad: ${request.headers.authorization}` } })),
    );
    expect(oneLine(await probe(url))).toMatch(/^1 .*refuses the plainest request \(HTTP 400: bad: .*hidden/);
  });

  test("a deployment that does not exist, and a root without /v1", async () => {
    expect(oneLine(await run(onAzure("--deployment nope")))).toMatch(
      /^2 .*check the address, the deployment nope and the api-version 2024-12-01-preview \(HTTP 404:/,
    );
    const url = await serve((_, response) => response.writeHead(404).end("Not Found"));
    expect(oneLine(await run(`probe ${url} --model gpt-4o-mini`))).toMatch(
      /^2 .*the API's root usually ends in \/v1/,
    );
  });

  test("Ctrl-C ends it, with what it may have cost", async () => {
    const interrupt = new AbortController();
    const slow = await startSimulator({ profile: "clean", latencyMs: 300 });
    setTimeout(() => interrupt.abort(), 700);
    const ran = await run(`probe ${slow.url}/v1 --model gpt-4o-mini`, { signal: interrupt.signal });
    expect([ran.exitCode, ran.out]).toEqual([130, ""]);
    expect(lastLine(ran.err)).toMatch(/^Interrupted after \d+ calls, which cost at most \$0\.\d+\.$/);
    await slow.close();
  });
});
