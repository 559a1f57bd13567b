/** The retry rule of an `http_request`, from its params as written (channel format, section 7). */
import { isObject, own } from '../json.ts';
import type { RetryRule } from './contract.ts';

const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
const DEFAULT_ON = ['network', 'timeout', 408, 425, 429, '5xx'] as const;
const DEFAULT_ATTEMPTS = 5;
const DEFAULT_BASE_SECONDS = 1;
const DEFAULT_MAX_SECONDS = 600;

/** What `retry.on` may hold besides statuses and ranges. */
export const RETRY_KINDS = ['network', 'timeout', 'rate_limited', 'server', 'client', 'rejected'] as const;

/**
 * The rule by which a request is tried again. Without `attempts`, a list of `delays` gives one try more than it has
 * entries. A method that is a template counts as unsafe: what it will be is not known.
 */
export function retryRule(params: Readonly<Record<string, unknown>>): RetryRule {
  const retry = isObject(params.retry) ? params.retry : {};
  const delays = own(retry, 'delays');
  const delaysMs = Array.isArray(delays) ? delays.map((seconds) => milliseconds(seconds, 0)) : undefined;
  const attempts = own(retry, 'attempts');
  const on = own(retry, 'on');
  return Object.freeze({
    attempts: typeof attempts === 'number' ? attempts : delaysMs ? delaysMs.length + 1 : DEFAULT_ATTEMPTS,
    on: Array.isArray(on) ? on.map(entryOf) : DEFAULT_ON,
    ...(delaysMs !== undefined && { delaysMs }),
    baseMs: milliseconds(own(retry, 'base'), DEFAULT_BASE_SECONDS),
    maxMs: milliseconds(own(retry, 'max'), DEFAULT_MAX_SECONDS),
    safe:
      own(retry, 'idempotent') === true ||
      Object.hasOwn(params, 'idempotency_header') ||
      IDEMPOTENT_METHODS.has(String(params.method ?? 'GET').toUpperCase()),
  });
}

/** An entry of `retry.on`; a status in quotes is the status. */
function entryOf(entry: unknown): string | number {
  return typeof entry === 'number' || /^\d{3}$/.test(String(entry)) ? Number(entry) : String(entry);
}

function milliseconds(seconds: unknown, fallback: number): number {
  return Math.round((typeof seconds === 'number' ? seconds : fallback) * 1000);
}
