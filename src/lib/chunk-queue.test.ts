import { expect, test } from "vitest";
import { ChunkQueue, type Flow } from "./chunk-queue.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const recorder = (): Flow & { calls: string[] } => {
  const calls: string[] = [];
  return {
    calls,
    pause: () => void calls.push("pause"),
    resume: () => void calls.push("resume"),
    abandon: (error) => void calls.push(error.message),
  };
};
async function readAll(queue: ChunkQueue): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of queue) texts.push(new TextDecoder().decode(chunk));
  return texts;
}

test("chunks arrive in order, those that waited together as one", async () => {
  const queue = new ChunkQueue(100, recorder());
  queue.push(bytes("a"));
  queue.push(bytes("b"));
  const reading = readAll(queue);
  await new Promise((resolve) => setImmediate(resolve));
  queue.push(bytes("c"));
  await new Promise((resolve) => setImmediate(resolve));
  queue.push(bytes("d"));
  queue.end();
  expect(await reading).toEqual(["ab", "c", "d"]);
});

test("the producer pauses above the high-water mark and goes on when half of it is read", async () => {
  const flow = recorder();
  const queue = new ChunkQueue(4, flow);
  queue.push(bytes("abc"));
  expect(flow.calls).toEqual([]);
  queue.push(bytes("def"));
  expect(flow.calls).toEqual(["pause"]);
  queue.end();
  expect(await readAll(queue)).toEqual(["abcdef"]);
  expect(flow.calls).toEqual(["pause", "resume"]);
});

test("a failure comes after everything that was received before it", async () => {
  const queue = new ChunkQueue(100, recorder());
  queue.push(bytes("a"));
  queue.fail(new Error("cut"));
  const seen: string[] = [];
  await expect(async () => {
    for await (const chunk of queue) seen.push(new TextDecoder().decode(chunk));
  }).rejects.toThrow("cut");
  expect(seen).toEqual(["a"]);
});

test("a reader that stops early lets a little surplus pass and cuts off more", async () => {
  const flow = recorder();
  const queue = new ChunkQueue(100, flow);
  queue.push(bytes("a"));
  for await (const _ of queue) break;
  queue.push(new Uint8Array(60_000));
  expect(flow.calls).toEqual([]);
  queue.push(new Uint8Array(60_000));
  expect(flow.calls).toEqual(["surplus"]);
  queue.end();
});
