import type { Json, JsonObject } from "../../src/simulator/json.ts";
import type { SimulatorOptions } from "../../src/simulator/options.ts";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";

/** A simulator for the length of one test, at a clock that stands still. */
export async function withSimulator<T>(
  options: SimulatorOptions,
  use: (simulator: Simulator) => Promise<T>,
): Promise<T> {
  const simulator = await startSimulator({ clock: () => 1_763_208_000_000, ...options });
  try {
    return await use(simulator);
  } finally {
    await simulator.close();
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, or null. */
  readonly json: JsonObject;
  /** The `data:` payloads of a stream, `[DONE]` left out. */
  readonly chunks: JsonObject[];
  readonly isDone: boolean;
  /** The connection broke before the body was whole. */
  readonly isBroken: boolean;
}

/** Sends `body` to `path` and reads the answer to its end, however it ends. */
export async function post(
  simulator: Simulator,
  path: string,
  body: Json,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Reply> {
  const response = await fetch(`${simulator.url}${path}`, {
    method: "POST",
    redirect: "manual",
    signal,
    headers: {
      "content-type": "application/json",
      "api-key": "test-key",
      authorization: "Bearer test-key",
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const { text, isBroken } = await readAll(response);
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const frames = isStream ? dataOf(text) : [];
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isStream ? {} : parse(text),
    chunks: frames.filter((data) => data !== "[DONE]").map(parse),
    isDone: frames.at(-1) === "[DONE]",
    isBroken,
  };
}

async function readAll(response: Response): Promise<{ text: string; isBroken: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true });
    return { text, isBroken: false };
  } catch {
    return { text, isBroken: true };
  }
}

function dataOf(text: string): string[] {
  return text.split("\n").flatMap((line) => (line.startsWith("data: ") ? [line.slice("data: ".length)] : []));
}

function parse(text: string): JsonObject {
  try {
    return JSON.parse(text);
  } catch {
    return { unparsed: text };
  }
}
