/** The words in which the schemas of documents are written. */
import type { JsonObject } from '../../json.ts';

type More = JsonObject;

export const text = (description: string, more: More = {}): JsonObject => ({
  type: 'string',
  description,
  ...more,
});

export const whole = (description: string, more: More = {}): JsonObject => ({
  type: 'integer',
  description,
  ...more,
});

export const amount = (description: string, more: More = {}): JsonObject => ({
  type: 'number',
  description,
  ...more,
});

export const flag = (description: string, more: More = {}): JsonObject => ({
  type: 'boolean',
  description,
  ...more,
});

export const choice = (
  description: string,
  values: readonly (string | number)[],
  more: More = {},
): JsonObject => ({ description, enum: values, ...more });

export const list = (description: string, items: JsonObject, more: More = {}): JsonObject => ({
  type: 'array',
  description,
  items,
  ...more,
});

/** An object that has these members and no others. */
export const record = (
  description: string,
  properties: { readonly [name: string]: JsonObject },
  required: readonly string[] = [],
): JsonObject => ({
  type: 'object',
  description,
  properties,
  ...(required.length > 0 && { required }),
  additionalProperties: false,
});

/** An object with members of any name. */
export const dictionary = (description: string, values: JsonObject = {}): JsonObject => ({
  type: 'object',
  description,
  additionalProperties: values,
});

/** Anything; the description says what. */
export const anything = (description: string): JsonObject => ({ description });
