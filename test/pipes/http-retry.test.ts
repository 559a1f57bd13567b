import { describe, expect, test } from 'vitest';
import { retryRule } from '../../src/pipes/http-retry.ts';

test('the default rule', () => {
  expect(retryRule({})).toEqual({
    attempts: 5,
    on: ['network', 'timeout', 408, 425, 429, '5xx'],
    baseMs: 1_000,
    maxMs: 600_000,
    safe: true,
  });
});

describe('what the author sets', () => {
  test('attempts, failures, base and max in seconds', () => {
    const rule = retryRule({
      method: 'POST',
      retry: { attempts: 3, on: ['timeout', '503', 429], base: 0.5, max: 20 },
    });
    expect(rule).toEqual({ attempts: 3, on: ['timeout', 503, 429], baseMs: 500, maxMs: 20_000, safe: false });
  });

  test('delays give their own number of tries', () => {
    expect(retryRule({ retry: { delays: [60, 3600] } })).toMatchObject({
      attempts: 3,
      delaysMs: [60_000, 3_600_000],
    });
    expect(retryRule({ retry: { delays: [60], attempts: 9 } })).toMatchObject({
      attempts: 9,
      delaysMs: [60_000],
    });
  });

  test('an empty list of failures means never', () => {
    expect(retryRule({ retry: { on: [] } }).on).toEqual([]);
  });
});

describe('safe to repeat', () => {
  test.each([
    [{ method: 'GET' }, true],
    [{ method: 'HEAD' }, true],
    [{ method: 'PUT' }, true],
    [{ method: 'DELETE' }, true],
    [{ method: 'POST' }, false],
    [{ method: 'PATCH' }, false],
    [{ method: '$in.method' }, false],
    [{ method: { $: '"GET"' } }, false],
    [{ method: 'POST', retry: { idempotent: true } }, true],
    [{ method: 'POST', retry: { idempotent: false } }, false],
    [{ method: 'POST', idempotency_header: 'Idempotency-Key' }, true],
  ])('%j: %s', (params, safe) => {
    expect(retryRule(params).safe).toBe(safe);
  });
});
