/** What the adapters have in common: texts of their settings, addresses, ids, lists. */
import { Failure } from '../../errors.ts';
import { isObject, type JsonObject, own } from '../../json.ts';
import type { SourceConfig } from './contract.ts';

/** Where a CMS answers; without a user name and a password in it, because addresses are shown to everybody. */
export const addressOf = (description: string): JsonObject => ({
  type: 'string',
  format: 'uri',
  pattern: '^https?://[^@?#\\s/]+(?:/[^?#\\s]*)?$',
  examples: ['https://cms.example.com'],
  maxLength: 500,
  description,
});

/** A name that becomes part of an address. */
export const nameOf = (description: string, more: JsonObject = {}): JsonObject => ({
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$',
  examples: ['articles'],
  description,
  ...more,
});

/** A token as it travels in a header. */
export const tokenOf = (description: string): JsonObject => ({
  type: 'string',
  pattern: '^[\\x21-\\x7e]+$',
  maxLength: 2_000,
  description,
});

/** An object with these members and no others. */
export function configSchema(properties: JsonObject, required: readonly string[]): JsonObject {
  return { type: 'object', properties, required: [...required], additionalProperties: false };
}

/** The text of a setting; empty if it is left out. */
export function textOf(config: SourceConfig, name: string): string {
  const value = own(config, name);
  return typeof value === 'string' ? value : '';
}

/** An address below that of the settings, with a query. */
export function addressBelow(
  base: string,
  path: string,
  query: readonly (readonly [string, string])[],
): string {
  return `${base.replace(/\/+$/, '')}${path}?${new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]))}`;
}

/** Headers with the token as a bearer, where there is one. */
export function bearer(config: SourceConfig, name: string): Readonly<Record<string, string>> {
  const token = textOf(config, name);
  return { accept: 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) };
}

/** An id as a text, where it has the form of one. */
export function idOf(value: unknown, form: RegExp): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && form.test(text) ? text : undefined;
}

/** Milliseconds of an ISO time; without a zone it is UTC. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const ms = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`);
  return Number.isFinite(ms) ? ms : undefined;
}

/** The list in an answer. Throws PARSE_FAILED. */
export function listOf(value: unknown, title: string, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Failure(
    'PARSE_FAILED',
    `${title} answered with JSON that holds no list of entries ${place}. Check the address and the settings of the source.`,
  );
}

/** An object, or one without members. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

/** A whole number of a header or a member, or undefined. */
export function countOf(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
