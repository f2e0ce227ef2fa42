import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withMembers, withoutMember } from "./json-edit.ts";

describe("withoutMember()", () => {
  test.each([
    ['{"a":1,"usage":null,"b":2}', '{"a":1,"b":2}'],
    ['{"usage":null,"b":2}', '{"b":2}'],
    ['{"b":2,"usage":{"x":[1,{"usage":3}]}}', '{"b":2}'],
    ['{"usage":null}', "{}"],
    ['data: {"a":"\\"usage\\":1","usage":null}\n\n', 'data: {"a":"\\"usage\\":1"}\n\n'],
    ['{"usage" : null , "choices":[{"usage":null}]}', '{"choices":[{"usage":null}]}'],
    ['{"usage":1,"usage":2,"a":3,"usage":4}', '{"a":3}'],
  ])("%s", (text, want) => {
    expect(withoutMember(text, "usage")).toBe(want);
  });
  test("finds none within other members, in texts and elsewhere", () => {
    for (const text of ['{"a":{"usage":1}}', '{"a":"usage"}', '["usage"]', "", "usage"])
      expect(withoutMember(text, "usage")).toBe(null);
  });
});

describe("withMembers()", () => {
  const cost = { cost: "0.5", cost_details: '{"amount":"0.5"}' };
  test.each([
    [
      'data: {"usage":{"a":1},"b":2}\n\n',
      ["usage"],
      'data: {"usage":{"a":1,"cost":0.5,"cost_details":{"amount":"0.5"}},"b":2}\n\n',
    ],
    ['{"usage":{}}', ["usage"], '{"usage":{"cost":0.5,"cost_details":{"amount":"0.5"}}}'],
    ['{"usage":{"cost":9,"a":1}}', ["usage"], '{"usage":{"a":1,"cost":0.5,"cost_details":{"amount":"0.5"}}}'],
    [
      '{"response":{"id":"x","usage":{"a":{"b":1}}}}',
      ["response", "usage"],
      '{"response":{"id":"x","usage":{"a":{"b":1},"cost":0.5,"cost_details":{"amount":"0.5"}}}}',
    ],
    [
      '{\n  "usage": {\n    "a": 1\n  }\n}\n',
      ["usage"],
      '{\n  "usage": {\n    "a": 1,"cost":0.5,"cost_details":{"amount":"0.5"}}\n}\n',
    ],
  ])("%s", (text, path, want) => {
    expect(withMembers(text, path, cost)).toBe(want);
  });
  test("does nothing where there is no object", () => {
    for (const text of ['{"usage":null}', '{"a":1}', "data: [DONE]\n\n"])
      expect(withMembers(text, ["usage"], cost)).toBe(null);
  });
});

test("edits agree with parsing and writing again, for any object", () => {
  const objects = fc.dictionary(fc.constantFrom("a", "usage", "cost", '"', "b\\"), fc.jsonValue());
  fc.assert(
    fc.property(objects, fc.constantFrom(0, 2), (object, indent) => {
      const text = JSON.stringify(object, null, indent);
      const { usage: _gone, ...rest } = object;
      expect(JSON.parse(withoutMember(text, "usage") ?? text)).toEqual(JSON.parse(JSON.stringify(rest)));
      const { usage } = object;
      const isObject = typeof usage === "object" && usage !== null && !Array.isArray(usage);
      const changed = withMembers(text, ["usage"], { cost: "1" });
      if (!isObject) expect(changed).toBe(null);
      else
        expect(JSON.parse(changed ?? "")).toEqual(
          JSON.parse(JSON.stringify({ ...object, usage: { ...usage, cost: 1 } })),
        );
    }),
  );
});
