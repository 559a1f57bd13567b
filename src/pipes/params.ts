/**
 * The schema subset in which a pipe declares its params. From one declaration come the TypeScript type of the
 * rendered params, the JSON Schema for editors, the docs, validation, and what the linter knows.
 *
 * Kinds beyond plain JSON: `query` (JsonQL) and `jsonata` reach the pipe as functions to call; `exit` is the id
 * of a pipe in the same pipeline and so a further way out; `entry` is the id of a pipe in the Schedule pipeline;
 * `sql` is a statement whose templates arrive as bound values.
 */
import type { JsonObject } from '../json.ts';

type Presence = 'required' | 'defaulted' | 'optional';

/** An expression that the pipe evaluates when it wants to; `extra` adds variables. */
export type Evaluate<T> = (extra?: Readonly<Record<string, unknown>>) => T | Promise<T>;

export type ParamKind =
  | 'string'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'enum'
  | 'any'
  | 'array'
  | 'map'
  | 'object'
  | 'query'
  | 'jsonata'
  | 'sql'
  | 'exit'
  | 'entry';

export interface Param<T = unknown, P extends Presence = Presence> {
  readonly kind: ParamKind;
  readonly description: string;
  readonly presence: P;
  readonly default?: T;
  /** May hold `$` templates. */
  readonly templates: boolean;
  /** A text that is one reference and nothing else keeps the type of its value, as if written with `$#`. */
  readonly typed?: boolean;
  /** For `enum`. */
  readonly values?: readonly (string | number)[];
  /** For `array` and `map`. */
  readonly items?: Param;
  /** For `object`. */
  readonly members?: Params;
  readonly minimum?: number;
  readonly maximum?: number;
  /** A credential, which a document reads from a secret field and does not hold itself. */
  readonly secret?: boolean;
  /** For `map`: the names, in lower case, of members whose values are credentials. */
  readonly secretMembers?: ReadonlySet<string>;
  /** Other forms the value may take, as JSON Schema; the pipe tells them apart. */
  readonly alternatives?: readonly JsonObject[];
}

export type Params = Readonly<Record<string, Param>>;

type Rendered<S> = S extends Param<infer T, Presence> ? T : never;

/** The TypeScript type of rendered params. */
export type ParamsOf<S extends Params> = {
  readonly [K in keyof S as S[K] extends Param<unknown, 'optional'> ? never : K]: Rendered<S[K]>;
} & {
  readonly [K in keyof S as S[K] extends Param<unknown, 'optional'> ? K : never]?: Rendered<S[K]>;
};

interface Options<T> {
  readonly required?: true;
  readonly default?: T;
  readonly templates?: boolean;
  readonly typed?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly secret?: boolean;
  readonly secretMembers?: ReadonlySet<string>;
  readonly alternatives?: readonly JsonObject[];
}

type PresenceOf<O> = O extends { required: true }
  ? 'required'
  : O extends { default: unknown }
    ? 'defaulted'
    : 'optional';

function param<T, O extends Options<T>>(
  kind: ParamKind,
  description: string,
  options: O,
  more: Partial<Param> = {},
): Param<T, PresenceOf<O>> {
  const presence = options.required ? 'required' : 'default' in options ? 'defaulted' : 'optional';
  const { required: _required, templates = false, ...rest } = options;
  return Object.freeze({ kind, description, presence, templates, ...rest, ...more }) as Param<
    T,
    PresenceOf<O>
  >;
}

export const string = <const O extends Options<string>>(description: string, options: O = {} as O) =>
  param<string, O>('string', description, options);

export const number = <const O extends Options<number>>(description: string, options: O = {} as O) =>
  param<number, O>('number', description, options);

export const integer = <const O extends Options<number>>(description: string, options: O = {} as O) =>
  param<number, O>('integer', description, options);

export const boolean = <const O extends Options<boolean>>(description: string, options: O = {} as O) =>
  param<boolean, O>('boolean', description, options);

export const any = <const O extends Options<unknown>>(description: string, options: O = {} as O) =>
  param<unknown, O>('any', description, options);

export const oneOf = <const V extends string | number, const O extends Options<V>>(
  description: string,
  values: readonly V[],
  options: O = {} as O,
) => param<V, O>('enum', description, options, { values });

export const array = <T, const O extends Options<readonly T[]>>(
  description: string,
  items: Param<T>,
  options: O = {} as O,
) => param<readonly T[], O>('array', description, options, { items: items as Param });

export const map = <T, const O extends Options<Readonly<Record<string, T>>>>(
  description: string,
  items: Param<T>,
  options: O = {} as O,
) => param<Readonly<Record<string, T>>, O>('map', description, options, { items: items as Param });

export const object = <S extends Params, const O extends Options<ParamsOf<S>>>(
  description: string,
  members: S,
  options: O = {} as O,
) => param<ParamsOf<S>, O>('object', description, options, { members });

export const query = <const O extends Options<Evaluate<boolean>>>(
  description: string,
  options: O = {} as O,
) => param<Evaluate<boolean>, O>('query', description, options);

export const jsonata = <const O extends Options<Evaluate<unknown>>>(
  description: string,
  options: O = {} as O,
) => param<Evaluate<unknown>, O>('jsonata', description, options);

/** A statement split into its text, with `?` for each template, and the values to bind. */
export interface BoundSql {
  readonly text: string;
  readonly values: readonly unknown[];
}

export const sql = <const O extends Options<BoundSql>>(description: string, options: O = {} as O) =>
  param<BoundSql, O>('sql', description, options, { templates: true });

export const exit = <const O extends Options<number>>(description: string, options: O = {} as O) =>
  param<number, O>('exit', description, options);

export const entry = <const O extends Options<number>>(description: string, options: O = {} as O) =>
  param<number, O>('entry', description, options);

/** The JSON Schema of a set of params, as editors and the document check use it. */
export function paramsSchema(params: Params): JsonObject {
  const required = Object.entries(params)
    .filter(([, each]) => each.presence === 'required')
    .map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(params).map(([name, each]) => [name, paramSchema(each)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

/** The JSON Schema of one param. A templated param that is not text also accepts a template in its place. */
export function paramSchema(each: Param): JsonObject {
  const described = {
    description: each.description,
    ...(each.default !== undefined && { default: each.default as JsonObject }),
  };
  const forms = [plainSchema(each), ...(each.alternatives ?? [])];
  const [first] = forms;
  if (each.templates && !['string', 'any', 'sql'].includes(each.kind)) {
    forms.push({ type: 'string', pattern: '\\$', description: 'A template.' });
  }
  if (each.templates && each.kind !== 'any' && each.kind !== 'sql') {
    forms.push({
      type: 'object',
      properties: { $: { type: 'string', description: 'A JSONata expression.' } },
      required: ['$'],
      additionalProperties: false,
    });
  }
  return forms.length === 1 ? { ...described, ...first } : { ...described, anyOf: forms };
}

function plainSchema(each: Param): JsonObject {
  const bounds = {
    ...(each.minimum !== undefined && { minimum: each.minimum }),
    ...(each.maximum !== undefined && { maximum: each.maximum }),
  };
  switch (each.kind) {
    case 'string':
    case 'sql':
      return { type: 'string' };
    case 'query':
      return { type: 'string', minLength: 1 };
    case 'jsonata':
      return { type: 'string', minLength: 1 };
    case 'number':
      return { type: 'number', ...bounds };
    case 'integer':
      return { type: 'integer', ...bounds };
    case 'exit':
    case 'entry':
      return { type: 'integer', minimum: 1 };
    case 'boolean':
      return { type: 'boolean' };
    case 'enum':
      return { enum: [...(each.values ?? [])] };
    case 'any':
      return {};
    case 'array':
      return { type: 'array', items: each.items === undefined ? {} : paramSchema(each.items) };
    case 'map':
      return {
        type: 'object',
        additionalProperties: each.items === undefined ? true : paramSchema(each.items),
      };
    case 'object':
      return paramsSchema(each.members ?? {});
  }
}
