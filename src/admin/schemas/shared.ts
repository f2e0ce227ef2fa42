/** What the admin API takes and gives, once: the schemas of this folder check requests, and are the OpenAPI document and the types. */
import Type, { type TSchema } from "typebox";

/** Everything printable; the limit keeps labels labels. */
export const line = (length: number, description: string) =>
  Type.String({ minLength: 1, maxLength: length, pattern: "^[^\\u0000-\\u001f\\u007f]*$", description });
export const orNull = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
export const oneOf = <const Values extends string[]>(values: readonly [...Values], description?: string) =>
  Type.Enum(values as [...Values], { type: "string", ...(description === undefined ? {} : { description }) });
export const strict = { additionalProperties: false };

// The form alone; the story says why an amount of the right form cannot be taken.
export const amountIn = Type.String({
  maxLength: 100,
  description: 'Credits, as an exact decimal: "12.5".',
  examples: ["12.5"],
});
export const amount = Type.String({ description: "Credits, exact decimal.", examples: ["12.5"] });
export const usd = Type.String({ description: "USD, exact decimal.", examples: ["0.0000125"] });
export const time = Type.String({
  format: "date-time",
  description: "RFC 3339 in UTC.",
  examples: ["2026-01-31T12:00:00.000Z"],
});
export const timeIn = Type.String({
  format: "date-time",
  maxLength: 40,
  description: "RFC 3339.",
  examples: ["2030-01-31T00:00:00Z"],
});
export const id = (prefix: string) => Type.String({ description: `Id, \`${prefix}_…\`.` });
export const tokens = Type.Integer({ minimum: 0 });
export const count = (description: string) =>
  Type.Integer({ minimum: 1, maximum: 2_000_000_000, description });

export const idParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) }, strict);
export const nameParams = Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }) }, strict);

export const metadata = Type.Record(Type.String(), Type.String({ maxLength: 1_000 }), {
  maxProperties: 50,
  description: "Labels of your own: up to 50 texts.",
});

export const text = Type.String();
export const nullableText = orNull(text);
export const nullableTokens = orNull(tokens);
export const nullableNumber = orNull(Type.Number());

export const filter = Type.String({ minLength: 1, maxLength: 200 });
export const period = {
  from: Type.Optional(Type.String({ format: "date-time", maxLength: 40, description: "Inclusive." })),
  to: Type.Optional(Type.String({ format: "date-time", maxLength: 40, description: "Exclusive." })),
};

export const secret = Type.String({ description: "The secret. Only this answer has it." });

export const error = Type.Object(
  {
    error: Type.Object(
      {
        message: Type.String(),
        type: Type.String(),
        param: nullableText,
        code: Type.String(),
        metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      },
      strict,
    ),
  },
  { ...strict, title: "Error" },
);
