/**
 * The one vocabulary of schemas. A shape is declared once, in these words, as a TypeBox schema:
 *
 *     export const trigger = t.component('Trigger', t.object('One trigger.', {
 *       dedupeKey: t.optional(t.string('Names the trigger among repeats.', { maxLength: 255 })),
 *     }));
 *     export type Trigger = t.Static<typeof trigger>;
 *
 * Its type is derived by `Static` (everything readonly), its check compiled by `compileSchema` (validate.ts, ajv), and
 * what people and generators read of it (OpenAPI, schemas for editors) written by `schemaWriter` (schema-writer.ts).
 *
 * Import it as `import * as t from '../schema.ts'`. The rules:
 *
 * - Every word takes the description first. It is a sentence for people, or a noun phrase, in Markdown.
 * - An object takes no members but the declared ones, unless `others` says what they hold.
 * - A member is required unless it is `optional`. One with a `default` is filled in and then always there.
 * - `component` names a noun of the product. Wherever it is used, documents refer to it by that name.
 * - `variant` is a schema with another description, `partial` makes all members of a change optional.
 * - A word that is missing is added here. No other file writes a schema as an object literal.
 */
import { type TSchema, Type, type Static as WritableStatic } from 'typebox';
import { type Json, own } from './json.ts';

export type Schema = TSchema;

/** Members of an object, by name. */
export type Members = Readonly<Record<string, TSchema>>;

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** The type of the values that fit a schema. */
export type Static<S extends TSchema> = Frozen<WritableStatic<S>>;

interface StringOptions {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: 'date-time' | 'uuid' | 'uri' | 'email';
  readonly examples?: readonly string[];
  readonly default?: string;
}
interface NumberOptions {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: number;
}
interface ArrayOptions {
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
}
interface ObjectOptions {
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** What members hold that are not declared. */
  readonly others?: TSchema;
}

export const string = (description: string, options: StringOptions = {}) =>
  Type.String({ description, ...options });

export const integer = (description: string, options: NumberOptions = {}) =>
  Type.Integer({ description, ...options });

export const number = (description: string, options: NumberOptions = {}) =>
  Type.Number({ description, ...options });

export const boolean = (description: string, options: { readonly default?: boolean } = {}) =>
  Type.Boolean({ description, ...options });

/** One of these values. */
export const choice = <const Value extends string | number>(
  description: string,
  values: readonly Value[],
  options: { readonly default?: Value } = {},
) => Type.Unsafe<Value>({ enum: [...values], description, ...options });

/** Exactly this value. */
export const constant = <const Value extends string | number | boolean>(description: string, value: Value) =>
  Type.Literal(value, { description });

export const array = <Items extends TSchema>(description: string, items: Items, options: ArrayOptions = {}) =>
  Type.Array(items, { description, ...options });

/** An object with these members. */
export const object = <M extends Members>(
  description: string,
  members: M,
  { others, ...options }: ObjectOptions = {},
) => Type.Object({ ...members }, { description, additionalProperties: others ?? false, ...options });

/** An object whose members have any name and hold `values`. */
export const map = <Values extends TSchema>(
  description: string,
  values: Values,
  options: Omit<ObjectOptions, 'others'> & { readonly propertyNames?: StringOptions } = {},
) =>
  Type.Unsafe<Record<string, WritableStatic<Values>>>({
    type: 'object',
    description,
    additionalProperties: values,
    ...options,
  });

/** Any JSON value; the description says what. */
export const json = (description: string) => Type.Unsafe<Json>({ description });

/** Any value, not looked into; the description says what. */
export const anything = (description: string) => Type.Unknown({ description });

/** An object with members that are declared elsewhere, such as in a channel; the description says where. */
export const values = (description: string, options: Omit<ObjectOptions, 'others'> = {}) =>
  Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    description,
    additionalProperties: true,
    ...options,
  });

/** A value of one of these forms. */
export const either = <Forms extends readonly TSchema[]>(description: string, ...forms: Forms) =>
  Type.Unsafe<WritableStatic<Forms[number]>>({ description, anyOf: forms });

/** `present` for an object that has this member, `absent` for any other; problems are told of the one that applies. */
export const ifHas = <Present extends TSchema, Absent extends TSchema>(
  description: string,
  member: string,
  present: Present,
  absent: Absent,
) =>
  Type.Unsafe<WritableStatic<Present> | WritableStatic<Absent>>(
    Type.Dependent(Type.Unsafe({ type: 'object', required: [member] }), present, absent, { description }),
  );

/** The value or null. */
export const nullable = <S extends TSchema>(schema: S) =>
  Type.Unsafe<WritableStatic<S> | null>(orNull(schema));

function orNull(schema: object): object {
  const type = own(schema, 'type');
  const values = own(schema, 'enum');
  if (nameOf(schema) === undefined) {
    if (Array.isArray(values)) return { ...schema, enum: [...values, null] };
    if (type !== undefined && own(schema, 'const') === undefined)
      return { ...schema, type: [type, 'null'].flat() };
  }
  return { anyOf: [schema, { type: 'null' }] };
}

/** A member that may be left out. */
export const optional = <S extends TSchema>(schema: S) => Type.Optional(schema);

/** The members of a change: each may be left out. */
export const partial = <M extends Members>(members: M) =>
  Object.fromEntries(
    Object.entries(members).map(([name, schema]) => [name, Type.Optional(schema)]),
  ) as PartialMembers<M>;

type PartialMembers<M extends Members> = {
  readonly [K in keyof M]: ReturnType<typeof Type.Optional<M[K]>>;
};

/** The same schema with another description; a component stays one. */
export const variant = <S extends TSchema>(schema: S, description: string): S =>
  Object.create(Object.prototype, {
    ...Object.getOwnPropertyDescriptors(schema),
    description: { value: description, enumerable: true },
  });

/** A component's name, and the schema that was given it. Kept where neither JSON nor a copy by `...` sees it. */
interface Named {
  readonly [NAME]?: { readonly name: string; readonly schema: object };
}
const NAME = Symbol('component');

/** Names a noun of the product: documents describe it once and refer to it by this name. */
export const component = <S extends TSchema>(name: string, schema: S): S =>
  Object.create(Object.prototype, {
    ...Object.getOwnPropertyDescriptors(schema),
    [NAME]: { value: { name, schema } },
  });

/** The name of a component, and the schema that was given it. */
export const nameOf = (schema: Named) => schema[NAME];

const pagination = component(
  'Pagination',
  object('Where the page is in the list.', {
    total: integer('How many there are in all pages.'),
    limit: integer('The most that a page holds.'),
    hasMore: boolean('There is a next page.'),
    nextCursor: nullable(string('The `cursor` of the next page; null: this is the last.')),
  }),
);

/** The answer of a list; a component, too, if its items are one. */
export const page = <Item extends TSchema>(item: Item) => {
  const name = nameOf(item)?.name;
  const schema = object('One page.', { data: array('The page, newest first.', item), pagination });
  return name === undefined ? schema : component(`${name}Page`, schema);
};

/** What a list is asked with. */
export const pageQuery = {
  limit: integer('The most that a page holds.', { minimum: 1, maximum: 100, default: 20 }),
  cursor: optional(string('`nextCursor` of the page before.')),
};

/** A short name that people give. */
export const sid = (description: string) =>
  string(description, { pattern: '^[a-z][a-z0-9_]{1,62}$', examples: ['sms_twilio'] });

export const uuid = (description: string) => string(description, { format: 'uuid' });

/** A time with its offset. */
export const time = (description: string) => string(description, { format: 'date-time' });
