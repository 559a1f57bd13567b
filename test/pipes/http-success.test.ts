import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { assessAnswer, DEFAULT_SUCCESS_CODES, retryAfterMs } from '../../src/pipes/http-success.ts';
import { holdsStatus, isStatusEntry } from '../../src/pipes/status-set.ts';
import { failureOf } from '../support/failure-of.ts';

const NOW = '2026-01-01T00:00:00.000Z';

const answer = (status: number, body = '', headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: Buffer.from(body),
});

describe('statuses', () => {
  test('the default is 200 to 208', async () => {
    for (const status of [200, 204, 208]) {
      expect(await assessAnswer(answer(status), DEFAULT_SUCCESS_CODES, undefined, NOW)).toMatchObject({
        status,
      });
    }
    for (const status of [199, 209, 302, 404]) {
      const failure = await failureOf(() =>
        assessAnswer(answer(status), DEFAULT_SUCCESS_CODES, undefined, NOW),
      );
      expect(failure.code).toBe('HTTP_STATUS');
    }
  });

  test('numbers, ranges and hundreds', () => {
    expect(holdsStatus([200, '3xx', '410-412'], 200)).toBe(true);
    expect(holdsStatus(['3XX'], 399)).toBe(true);
    expect(holdsStatus(['410-412'], 412)).toBe(true);
    expect(holdsStatus(['410-412'], 413)).toBe(false);
    expect(holdsStatus(['204'], 204)).toBe(true);
    expect(holdsStatus([], 200)).toBe(false);
    expect(['2xx', '200-208', 204, '204'].every(isStatusEntry)).toBe(true);
    expect(['0xx', '6xx', 'xx', '208-200', 99, 600, 'ok', null, 2.5].some(isStatusEntry)).toBe(false);
  });

  test.each([
    [429, 'rate_limited'],
    [404, 'client'],
    [500, 'server'],
    [503, 'server'],
    [302, 'rejected'],
  ])('%i is %s, with the answer kept', async (status, kind) => {
    const given = answer(status, 'text', { 'x-a': 'b' });
    const failure = await failureOf(() => assessAnswer(given, [200], undefined, NOW));
    expect(failure.details).toMatchObject({ kind, statusCode: status, add: given });
    expect(failure.message).toContain(String(status));
    expect(failure.message).not.toContain('text');
  });
});

describe('success_when', () => {
  test('sees the body as JSON where it is JSON, else as text', async () => {
    const seen: unknown[] = [];
    const when = (extra?: Readonly<Record<string, unknown>>) => {
      seen.push(extra);
      return true;
    };
    await assessAnswer(answer(200, '{"ok":1}', { a: 'b' }), [200], when, NOW);
    await assessAnswer(answer(200, 'OK 17'), [200], when, NOW);
    await assessAnswer(answer(200), [200], when, NOW);
    expect(seen).toEqual([
      { status: 200, headers: { a: 'b' }, body: { ok: 1 } },
      { status: 200, headers: {}, body: 'OK 17' },
      { status: 200, headers: {}, body: '' },
    ]);
  });

  test('only true is a success', async () => {
    for (const value of [false, undefined, 'true', 1, null]) {
      const failure = await failureOf(() => assessAnswer(answer(200), [200], async () => value, NOW));
      expect(failure.code).toBe('HTTP_REJECTED');
      expect(failure.details).toMatchObject({ kind: 'rejected', statusCode: 200 });
    }
    await expect(assessAnswer(answer(200), [200], async () => true, NOW)).resolves.toMatchObject({
      status: 200,
    });
  });

  test('is not asked where the status fails, and keeps the answer where it fails itself', async () => {
    const broken = () => {
      throw new Failure('JSONATA_FAILED', 'It failed.');
    };
    expect((await failureOf(() => assessAnswer(answer(500), [200], broken, NOW))).code).toBe('HTTP_STATUS');
    const failure = await failureOf(() => assessAnswer(answer(200, 'x'), [200], broken, NOW));
    expect(failure.code).toBe('JSONATA_FAILED');
    expect(failure.details).toMatchObject({ statusCode: 200, add: { status: 200 } });
  });
});

describe('Retry-After', () => {
  test.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5_000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j', (header, waitMs) => {
    expect(retryAfterMs(header, NOW)).toBe(waitMs);
  });

  test('stands in the failure, and only then', async () => {
    const limited = await failureOf(() =>
      assessAnswer(answer(429, '', { 'retry-after': '7' }), [200], undefined, NOW),
    );
    expect(limited.details.retryAfterMs).toBe(7_000);
    const plain = await failureOf(() => assessAnswer(answer(429), [200], undefined, NOW));
    expect(plain.details).not.toHaveProperty('retryAfterMs');
  });
});
