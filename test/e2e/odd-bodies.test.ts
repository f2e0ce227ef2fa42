/** Bodies that are not what their heads say, and errors in odd places: what the client sees, and who pays. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  done,
  event,
  events,
  exact,
  lost,
  type OddWorld,
  plain,
  sends,
  shownStart,
  start,
  startOddWorld,
  streamed,
  type Talk,
  usageChunk,
  wholeAnswer,
} from "../support/odd-vendor.ts";

let world: OddWorld;
beforeAll(async () => {
  world = await startOddWorld();
});
afterAll(() => world.close());
const ask: OddWorld["ask"] = (...about) => world.ask(...about);

const json = { "content-type": "application/json" };
const answered = JSON.stringify(wholeAnswer);
describe("a body that is not what its head says", () => {
  test.each<[string, object, Talk]>([
    ["a stream without a content type", streamed, sends(plain, {})],
    ["a stream called JSON", streamed, sends(plain, json)],
    ["a stream called bytes", streamed, sends(plain, { "content-type": "application/octet-stream" })],
    [
      "a packed stream",
      streamed,
      sends(gzipSync(plain), { "content-type": "text/event-stream", "content-encoding": "gzip" }),
    ],
    [
      "a stream that tells its length",
      streamed,
      sends(plain, { "content-type": "text/event-stream", "content-length": `${plain.length}` }),
    ],
  ])("%s is a stream", async (_what, more, talk) => {
    const { text, verdict, answer } = await ask(talk, more);
    expect([text, verdict]).toEqual([shownStart + done, exact]);
    expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
  });
  test.each<[string, object, Talk, string]>([
    ["JSON without a content type", {}, sends(answered, {}), answered],
    ["JSON for a stream", streamed, sends(answered, json), answered],
    ["JSON for a stream without a content type", streamed, sends(answered, {}), answered],
    [
      "JSON for a stream, after blank lines",
      streamed,
      sends(`\n\n ${answered}`, { "content-type": "text/plain" }),
      `\n\n ${answered}`,
    ],
    ["JSON with a BOM", {}, sends(`\ufeff${answered}`, json), `\ufeff${answered}`],
    ["packed JSON", {}, sends(gzipSync(answered), { ...json, "content-encoding": "gzip" }), answered],
    ["JSON with status 201", {}, sends(answered, json, 201), answered],
  ])("%s is an answer", async (_what, more, talk, shown) => {
    const { text, verdict, answer } = await ask(talk, more);
    expect([text, verdict, answer.headers.get("x-tollgate-usage-source")]).toEqual([shown, exact, "vendor"]);
  });
  test.each<[string, object, Talk]>([
    ["a page", {}, sends("<html>log in</html>", { "content-type": "text/html" })],
    ["a page for a stream", streamed, sends("<html>log in</html>", { "content-type": "text/html" })],
    ["nothing", {}, sends("", json)],
    ["nothing for a stream", streamed, sends("")],
    ["a list", {}, sends("[]", json)],
    ["an empty object", {}, sends("{}", json)],
    ["somebody else's JSON", {}, sends('{"detail":"Not found"}', json)],
    ["somebody else's JSON for a stream", streamed, sends('{"detail":"Not found"}', json)],
    ["no content", {}, sends("", {}, 204)],
    ["an unknown packing", {}, sends(answered, { ...json, "content-encoding": "snappy" })],
    [
      "half of a packed answer",
      {},
      sends(gzipSync(answered).subarray(0, 60), { ...json, "content-encoding": "gzip" }),
    ],
  ])("%s is no answer: 502, and the operator bears what it cost", async (_what, more, talk) => {
    const { text, verdict, answer, row } = await ask(talk, more);
    expect([answer.status, JSON.parse(text).error.code, verdict]).toEqual([
      502,
      "upstream_unavailable",
      lost,
    ]);
    expect([row.charge, row.loss === "0"]).toEqual(["0", false]);
  });
});

describe("an error", () => {
  test.each<[string, object, Talk, string]>([
    [
      "as a stream's only event",
      streamed,
      sends(event({ error: { message: "no", type: "server_error" } })),
      event({ error: { message: "no", type: "server_error" } }),
    ],
    ["as a text in a stream", streamed, sends(event({ error: "no" })), event({ error: "no" })],
    ["as JSON with status 200", {}, sends('{"error":{"message":"no"}}', json), '{"error":{"message":"no"}}'],
    [
      "as JSON with status 200 for a stream",
      streamed,
      sends('{"error":{"message":"no"}}', json),
      '{"error":{"message":"no"}}',
    ],
    ["as a text in JSON with status 200", {}, sends('{"error":"no"}', json), '{"error":"no"}'],
  ])("%s is passed on, and nothing is charged", async (_what, more, talk, shown) => {
    const { text, row, answer } = await ask(talk, more);
    expect([answer.status, text, row.state, row.outcome, row.charge]).toEqual([
      200,
      shown,
      "released",
      "vendor_error",
      "0",
    ]);
  });
  test("after the usage leaves it exact", async () => {
    const { text, verdict } = await ask(
      sends(start + events(usageChunk(), { error: { message: "late" } })),
      streamed,
    );
    expect([text, verdict]).toEqual([
      shownStart + event({ error: { message: "late" } }),
      "settled vendor_error vendor customer 8/2",
    ]);
  });
  test.each<[string, number, Talk, string, number]>([
    [
      "a page of a proxy",
      502,
      sends("<html>bad gateway</html>", { "content-type": "text/html" }, 502),
      "upstream_unavailable",
      502,
    ],
    ["a status nobody knows", 502, sends("{}", json, 599), "upstream_unavailable", 502],
    [
      "a packed 400",
      400,
      sends(
        gzipSync('{"error":{"message":"bad thing","code":"bad"}}'),
        { ...json, "content-encoding": "gzip" },
        400,
      ),
      "bad",
      400,
    ],
    ["Gemini's list", 400, sends('[{"error":{"code":400,"message":"bad thing"}}]', json, 400), "400", 400],
  ])("%s is told in OpenAI's envelope", async (_what, status, talk, code) => {
    const { text, row, answer } = await ask(talk);
    expect([answer.status, JSON.parse(text).error.code, row.state, row.charge]).toEqual([
      status,
      code,
      "released",
      "0",
    ]);
    if (status === 400) expect(JSON.parse(text).error.message).toBe("bad thing");
  });
});

test("embeddings without usage are counted", async () => {
  const body = {
    object: "list",
    model: "text-embedding-3-small",
    data: [{ object: "embedding", index: 0, embedding: "AAAA" }],
  };
  const { verdict, text } = await ask(
    sends(JSON.stringify(body), json),
    { model: "embed", input: "gate", messages: undefined, max_tokens: undefined },
    "/v1/embeddings",
  );
  expect([text, verdict]).toEqual([
    JSON.stringify(body),
    "settled complete estimated tokenizer exact_in_practice vendor_sends_none customer 1/0",
  ]);
});

test("a vendor's id of the request is kept and given back; its rate limits are the operator's", async () => {
  const headers = {
    ...json,
    "apim-request-id": "apim-1",
    "x-request-id": "req-of-the-vendor",
    "x-ratelimit-remaining-tokens": "7",
    "x-ms-region": "East US 2",
  };
  const { answer, row } = await ask(sends(answered, headers));
  expect(row.record.attempts[0].vendor_request_id).toBe("apim-1");
  expect(answer.headers.get("x-vendor-request-id")).toBe("apim-1");
  expect(answer.headers.get("x-request-id")).toBe(row.id);
  expect([...answer.headers.keys()].filter((name) => /ratelimit|x-ms/.test(name))).toEqual([]);
  const other = await ask(sends(answered, { ...json, "x-generation-id": "gen-1" }));
  expect(other.answer.headers.get("x-vendor-request-id")).toBe("gen-1");
});
