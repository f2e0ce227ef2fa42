import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprintOf, seal, unseal } from "./repeats.ts";

const asked = {
  actor: "owner",
  method: "POST",
  path: "/admin/v1/accounts",
  body: { name: "a", metadata: { x: "1", y: "2" } },
};

test("a fingerprint does not depend on the order of fields", () => {
  expect(fingerprintOf({ ...asked, body: { metadata: { y: "2", x: "1" }, name: "a" } })).toBe(
    fingerprintOf(asked),
  );
});

test.each([
  ["who asks", { actor: "tok_1" }],
  ["the method", { method: "PATCH" }],
  ["the path", { path: "/admin/v1/prices" }],
  ["a value", { body: { name: "a", metadata: { x: "1", y: "3" } } }],
  ["a type", { body: { name: 1, metadata: { x: "1", y: "2" } } }],
  ["the nesting", { body: { name: "a", x: "1", y: "2" } }],
  [
    "an array for an object",
    {
      body: {
        name: "a",
        metadata: [
          ["x", "1"],
          ["y", "2"],
        ],
      },
    },
  ],
])("a fingerprint depends on %s", (_what, change) => {
  expect(fingerprintOf({ ...asked, ...change })).not.toBe(fingerprintOf(asked));
});

test("what is sealed opens with the same token and with no other", () =>
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.string({ minLength: 1 }),
      fc.string({ minLength: 1 }),
      (body, token, other) => {
        const sealed = seal(body, token);
        expect(new Uint8Array(unseal(sealed, token))).toEqual(body);
        fc.pre(other !== token);
        expect(() => unseal(sealed, other)).toThrow();
      },
    ),
    { numRuns: 30 },
  ));

test("a sealed answer that was changed does not open", () => {
  const sealed = Buffer.from(seal(Buffer.from("secret"), "token"));
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
  expect(() => unseal(sealed, "token")).toThrow();
});
