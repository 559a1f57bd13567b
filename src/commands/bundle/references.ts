/** References in bundles: `{ "$ref": "env:NAME" }` stands for the environment variable NAME. */
import { record, text } from '../../channel/schema/words.ts';
import { isObject, type Json, type JsonObject, setOwn } from '../../json.ts';

const ENV = /^env:([A-Za-z_][A-Za-z0-9_]*)$/;

/** The schema of a reference. */
export const REFERENCE: JsonObject = record(
  'A reference.',
  { $ref: text('`env:` and the name of a variable.', { pattern: ENV.source }) },
  ['$ref'],
);

/** The reference to a variable. */
export function referenceTo(name: string): JsonObject {
  return { $ref: `env:${name}` };
}

/** The variable that a value refers to, or undefined if it is no reference. */
export function variableOf(value: unknown): string | undefined {
  if (!isObject(value) || Object.keys(value).length !== 1 || typeof value.$ref !== 'string') return undefined;
  return ENV.exec(value.$ref)?.[1];
}

/** All variables that a value refers to, at any depth. */
export function variablesIn(value: unknown): readonly string[] {
  const name = variableOf(value);
  if (name !== undefined) return [name];
  if (Array.isArray(value)) return value.flatMap(variablesIn);
  return isObject(value) ? Object.values(value).flatMap(variablesIn) : [];
}

/** The value with its references filled in; those that are not set stand as they are. */
export function fillIn(value: Json, environment: Readonly<Record<string, string | undefined>>): Json {
  const name = variableOf(value);
  if (name !== undefined) return isUnset(name, environment) ? value : (environment[name] ?? value);
  if (Array.isArray(value)) return value.map((each: Json) => fillIn(each, environment));
  if (!isObject(value)) return value;
  const filled: Record<string, Json> = {};
  for (const [key, member] of Object.entries(value as JsonObject)) {
    setOwn(filled, key, fillIn(member, environment));
  }
  return filled;
}

/** An empty variable is as good as none. */
export function isUnset(name: string, environment: Readonly<Record<string, string | undefined>>): boolean {
  return (environment[name] ?? '') === '';
}
