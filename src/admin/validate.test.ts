import Type from "typebox";
import { expect, test } from "vitest";
import { AdminError } from "./errors.ts";
import { grantCreate } from "./schemas/grants.ts";
import { keyCreate } from "./schemas/keys.ts";
import { compileCheck, readNumbers } from "./validate.ts";

interface Case {
  readonly schema: Type.TSchema;
  readonly value: unknown;
  readonly message: string;
}

function refusal(schema: Type.TSchema, value: unknown): string {
  try {
    compileCheck(schema, "body")(value);
    return "taken";
  } catch (error) {
    if (error instanceof AdminError) return error.message;
    throw error;
  }
}

test.each(
  [
    [grantCreate, { amount: "5" }, "taken"],
    [grantCreate, { amount: "5", expires_at: null }, "taken"],
    [grantCreate, {}, "Cannot do without `amount`: it is required; add it."],
    [grantCreate, { amount: 5 }, "Cannot use 5 as `amount`: it must be text (in quotes)."],
    [
      grantCreate,
      { amount: "5", amonut: "6" },
      "Cannot take `amonut`: there is no such field; see /admin/v1/openapi.json.",
    ],
    [
      grantCreate,
      { amount: "5", kind: "free" },
      'Cannot use "free" as `kind`: it must be one of "paid", "promotional".',
    ],
    [grantCreate, { amount: "5", priority: 101 }, "Cannot use 101 as `priority`: it must be <= 100."],
    [
      grantCreate,
      { amount: "5", expires_at: "soon" },
      'Cannot use "soon" as `expires_at`: it must be an instant like 2030-01-31T00:00:00Z or must be null.',
    ],
    [keyCreate, { name: "a\tb" }, 'Cannot use "a\\tb" as `name`: it must not contain control characters.'],
    [keyCreate, { name: "k", models: ["a", 7] }, "Cannot use 7 as `models.1`: it must be text (in quotes)."],
    [
      keyCreate,
      { name: "k", settings: { root: true } },
      "Cannot take `settings.root`: there is no such field; see /admin/v1/openapi.json.",
    ],
    [keyCreate, [], "Cannot read the body: it must be of type object."],
  ].map(([schema, value, message]) => ({ schema, value, message }) as Case),
)("$value: $message", ({ schema, value, message }) => {
  expect(refusal(schema, value)).toBe(message);
});

test("a long value is shown cut, a hostile one inert", () => {
  expect(refusal(grantCreate, { amount: "9".repeat(500) })).toMatch(
    /^Cannot use "9{79}… as `amount`: it must not have more than 100 characters/,
  );
});

test("what is checked is not changed", () => {
  const value = { amount: "5", priority: 7 };
  compileCheck(grantCreate, "body")(Object.freeze(value));
  expect(value).toEqual({ amount: "5", priority: 7 });
});

test("only whole numbers of a query become numbers, and only where the schema has them", () => {
  const schema = Type.Object({ limit: Type.Integer(), name: Type.String() });
  expect(readNumbers({ limit: "10", name: "10" }, schema)).toEqual({ limit: 10, name: "10" });
  for (const odd of ["1.5", "1e3", "", " 1", "0x10", "9".repeat(20), ["1", "2"]])
    expect(readNumbers({ limit: odd }, schema)).toEqual({ limit: odd });
});
