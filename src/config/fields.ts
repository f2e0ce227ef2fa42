/** What the fields of the configuration are made of. */
import { Type } from "typebox";

export const positiveDecimal = "^(0|[1-9][0-9]*)(\\.[0-9]+)?$";

export const text = (description: string, options: Record<string, unknown> = {}) =>
  Type.String({ minLength: 1, description, ...options });
export const whole = (
  minimum: number,
  maximum: number,
  description: string,
  options: Record<string, unknown> = {},
) => Type.Integer({ minimum, maximum, description, ...options });
export const milliseconds = (value: number, description: string) =>
  whole(1, 86_400_000, description, { default: value });
/** A group of fields that may be left out as a whole, when each of its fields has a default. */
export const section = <Fields extends Parameters<typeof Type.Object>[0]>(
  description: string,
  fields: Fields,
) => Type.Object(fields, { additionalProperties: false, default: {}, description });
export const strict = <Fields extends Parameters<typeof Type.Object>[0]>(
  description: string,
  fields: Fields,
) => Type.Object(fields, { additionalProperties: false, description });
