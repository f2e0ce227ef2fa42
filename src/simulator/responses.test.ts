import { OpenAI } from "openai";
import { describe, expect, test } from "vitest";
import { post, withSimulator } from "../../test/support/simulator.ts";
import { type Simulator, startSimulator } from "./server.ts";

const path = "/v1/responses";
const body = { model: "gpt-5.2", input: "[[sim:tokens=20]] What does a toll gate do?" };

function clientOf(simulator: Simulator): OpenAI {
  return new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey: "any", maxRetries: 0 });
}

function billOf(simulator: Simulator): string[] {
  return simulator.bill().map((line) => `${line.input}/${line.output}/${line.total} ${line.reason}`);
}

describe("POST /v1/responses", () => {
  test("answers whole and streamed with the same text and usage", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const client = clientOf(simulator);
      const whole = await client.responses.create({ ...body, reasoning: { effort: "none" } });
      const types: string[] = [];
      let last: OpenAI.Responses.Response | null = null;
      for await (const event of await client.responses.create({
        ...body,
        reasoning: { effort: "none" },
        stream: true,
      })) {
        types.push(event.type);
        if (event.type === "response.completed") last = event.response;
      }
      expect(last?.output_text ?? textOf(last)).toBe(whole.output_text);
      expect(last?.usage).toEqual(whole.usage);
      expect(types.slice(0, 5)).toEqual([
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
      ]);
      expect(types.at(-1)).toBe("response.completed");
      expect(billOf(simulator)).toEqual(
        Array(2).fill(`${whole.usage?.input_tokens}/24/${whole.usage?.total_tokens} complete`),
      );
    }));

  test("thinks first when asked to, and is incomplete when the cap is spent", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const client = clientOf(simulator);
      const thought = await client.responses.create({ ...body, reasoning: { effort: "low" } });
      expect(thought.output.map((item) => item.type)).toEqual(["reasoning", "message"]);
      const capped = await client.responses.create({
        ...body,
        reasoning: { effort: "high" },
        max_output_tokens: 16,
      });
      expect([capped.status, capped.incomplete_details?.reason]).toEqual(["incomplete", "max_output_tokens"]);
      expect(capped.usage).toMatchObject({
        output_tokens: 16,
        output_tokens_details: { reasoning_tokens: 16 },
      });
    }));

  test("calls tools", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
      const tools = [{ type: "function" as const, name: "get_weather", parameters, strict: true }];
      const answer = await clientOf(simulator).responses.create({
        model: "gpt-5.2",
        input: "What is the weather in Oslo?",
        tools,
      });
      expect(answer.output).toMatchObject([
        { type: "function_call", name: "get_weather", arguments: '{"city": "Oslo"}' },
      ]);
      let text = "";
      for await (const event of await clientOf(simulator).responses.create({
        model: "gpt-5.2",
        input: "What is the weather in Oslo?",
        tools,
        stream: true,
      })) {
        if (event.type === "response.function_call_arguments.delta") text += event.delta;
      }
      expect(text).toBe('{"city": "Oslo"}');
    }));

  test("goes on from an earlier response, which the prompt then includes", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const client = clientOf(simulator);
      const first = await client.responses.create(body);
      const next = await client.responses.create({
        model: "gpt-5.2",
        input: "And then?",
        previous_response_id: first.id,
      });
      const alone = await client.responses.create({ model: "gpt-5.2", input: "And then?" });
      expect(Number(next.usage?.input_tokens)).toBeGreaterThan(Number(alone.usage?.input_tokens) + 20);
    }));

  test("states a prompt's tokens without generating, and bills nothing for it", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const counted = await post(simulator, `${path}/input_tokens`, body);
      const answer = await clientOf(simulator).responses.create(body);
      expect(counted.json).toEqual({
        object: "response.input_tokens",
        input_tokens: answer.usage?.input_tokens,
      });
      expect(simulator.bill().length).toBe(1);
    }));
});

describe("stored responses", () => {
  test("can be read again and deleted", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const client = clientOf(simulator);
      const made = await client.responses.create(body);
      expect(await client.responses.retrieve(made.id)).toMatchObject({
        id: made.id,
        status: "completed",
        usage: made.usage,
      });
      await client.responses.delete(made.id);
      await expect(client.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
    }));

  test("tell the usage of a stream that was cut before it said so", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const cut = await post(
        simulator,
        path,
        { ...body, stream: true },
        { "x-sim-fault": "cut_before_usage" },
      );
      expect(cut.text).not.toContain("response.completed");
      await simulator.idle();
      const line = simulator.bill()[0];
      const stored = await clientOf(simulator).responses.retrieve(line?.id ?? "");
      expect(stored.usage?.total_tokens).toBe(line?.total);
    }));

  test("are at Azure's addresses too, at a new enough version", () =>
    withSimulator({ profile: "azure" }, async (simulator) => {
      const dated = "/openai/responses?api-version=2025-03-01-preview";
      const made = await post(simulator, dated, { ...body, model: "gpt-5.1" });
      expect(made.json).toMatchObject({
        model: "gpt-5.1",
        content_filters: [{ blocked: false }, { blocked: false }],
      });
      expect((await post(simulator, "/openai/responses?api-version=2024-10-21", body)).status).toBe(404);
      const read = await fetch(`${simulator.url}/openai/v1/responses/${made.json.id}`, {
        headers: { "api-key": "k" },
      });
      expect(await read.json()).toMatchObject({ id: made.json.id });
    }));
});

describe("background", () => {
  test("is queued, then running, then completed with its usage", async () => {
    const simulator = await startSimulator({ profile: "openai", latencyMs: 40, tokensPerSecond: 400 });
    const client = clientOf(simulator);
    const queued = await client.responses.create({ ...body, background: true });
    expect([queued.status, queued.usage]).toEqual(["queued", null]);
    expect(simulator.bill()).toEqual([]);
    await simulator.idle();
    const done = await client.responses.retrieve(queued.id);
    expect([done.status, done.usage?.total_tokens]).toEqual(["completed", simulator.bill()[0]?.total]);
    await simulator.close();
  });

  test("can be cancelled, and bills what was generated by then", async () => {
    const simulator = await startSimulator({ profile: "openai", tokensPerSecond: 1 });
    const client = clientOf(simulator);
    const queued = await client.responses.create({ ...body, background: true });
    const cancelled = await client.responses.cancel(queued.id);
    expect([cancelled.status, cancelled.usage]).toEqual(["cancelled", null]);
    expect(simulator.bill()[0]).toMatchObject({ output: 0, reason: "cancelled", billed: false });
    await simulator.close();
  });

  test("goes on when the client of its stream leaves", () =>
    withSimulator({ profile: "openai", tokensPerSecond: 300 }, async (simulator) => {
      const stream = await clientOf(simulator).responses.create({
        ...body,
        input: "[[sim:tokens=150]] go",
        background: true,
        stream: true,
      });
      for await (const event of stream) if (event.type === "response.output_text.delta") break;
      await simulator.idle();
      expect(simulator.bill()[0]).toMatchObject({ output: 154, reason: "client_left", aborted: true });
      const read = await clientOf(simulator).responses.retrieve(simulator.bill()[0]?.id ?? "");
      expect(read.status).toBe("completed");
    }));
});

function textOf(response: OpenAI.Responses.Response | null): string {
  const [item] = response?.output ?? [];
  const [part] = item?.type === "message" ? item.content : [];
  return part?.type === "output_text" ? part.text : "";
}
