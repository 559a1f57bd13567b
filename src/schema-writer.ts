/** Writes schemas into documents (OpenAPI, schemas for editors): a component once, and a reference wherever it is used. */
import { isObject, type Json, type JsonObject, own } from './json.ts';
import { nameOf, type Schema } from './schema.ts';

export interface SchemaWriter {
  /** The JSON Schema of a shape; for a component a reference to it. */
  readonly write: (schema: Schema) => JsonObject;
  /** The components that were written so far, by name in alphabetical order. */
  readonly components: () => JsonObject;
}

/** `prefix` is where the document keeps components, such as `#/components/schemas/`. */
export function createSchemaWriter(prefix: string): SchemaWriter {
  const sources = new Map<string, object>();
  const written = new Map<string, JsonObject>();

  const refer = (name: string, schema: object): void => {
    const known = sources.get(name);
    if (known === schema) return;
    if (known !== undefined) throw new TypeError(`Two schemas are named "${name}".`);
    sources.set(name, schema);
    written.set(name, writeMembers(schema));
  };

  const write = (schema: object): JsonObject => {
    const named = nameOf(schema);
    if (named === undefined) return writeMembers(schema);
    refer(named.name, named.schema);
    const description = own(schema, 'description');
    return {
      $ref: `${prefix}${named.name}`,
      ...(typeof description === 'string' &&
        description !== own(named.schema, 'description') && { description }),
    };
  };

  const writeMembers = (schema: object): JsonObject => {
    const members: Record<string, Json> = {};
    for (const [keyword, value] of Object.entries(schema)) members[keyword] = writeValue(value);
    return asAlternatives(withoutFilledIn(members));
  };

  const writeValue = (value: unknown): Json => {
    if (Array.isArray(value)) return value.map(writeValue);
    if (isObject(value)) return write(value);
    return value as Json;
  };

  return Object.freeze({
    write,
    components: () => Object.fromEntries([...written].sort(([left], [right]) => (left < right ? -1 : 1))),
  });
}

/** A member with a default is always there once it is filled in, so types have it; nobody needs to send it. */
function withoutFilledIn(schema: JsonObject): JsonObject {
  const { required, ...rest } = schema;
  if (!Array.isArray(required)) return schema;
  const needed = required.filter(
    (name) => own(own(schema.properties, String(name)), 'default') === undefined,
  );
  return needed.length > 0 ? { ...rest, required: needed } : rest;
}

/** What generators of clients understand instead of `if`. */
function asAlternatives(schema: JsonObject): JsonObject {
  const { if: condition, then: present, else: absent, ...rest } = schema;
  return condition === undefined || present === undefined || absent === undefined
    ? schema
    : { ...rest, anyOf: [present, absent] };
}
