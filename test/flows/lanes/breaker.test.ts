/** Breakers: when a lane opens, how long it stays open, and that what waits is kept, not burned. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { beatPulse, type Health, healthOf, newPulse, openForMs } from '../../../src/flows/lanes/breaker.ts';
import { decideRetry } from '../../../src/flows/run/retry.ts';

const opensAt = (health: readonly Health[], stepMs = 10) => {
  const pulse = newPulse(0);
  return health.findIndex((each, index) => beatPulse(pulse, each, index * stepMs)) + 1;
};
const many = (health: Health, count: number): Health[] => Array.from({ length: count }, () => health);

describe('a lane opens', () => {
  it('when half of at least twenty runs failed', () => {
    expect(opensAt(many('bad', 30))).toBe(20);
    expect(opensAt(Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? 'bad' : 'good')))).toBe(20);
  });
  it('not for a few failures among many', () => {
    expect(opensAt(Array.from({ length: 500 }, (_, index) => (index % 3 === 0 ? 'bad' : 'good')))).toBe(0);
    expect(opensAt(many('bad', 19))).toBe(0);
  });
  it('when the credentials are refused ten times in a row', () => {
    expect(opensAt([...many('refused', 5), 'good', ...many('refused', 12)])).toBe(16);
  });
  it('stays open longer each time, up to five minutes', () => {
    expect([1, 2, 3, 20].map(openForMs)).toEqual([5_000, 10_000, 20_000, 300_000]);
  });
});

describe('the health of a run', () => {
  const outcome = (failure?: Failure, status?: number) =>
    ({
      trail: [
        {
          pipe: 1,
          type: 'http_request',
          exit: 'x',
          startMs: 0,
          ms: 1,
          request: {
            method: 'POST',
            url: 'https://api.example/send?key=s3cret',
            headers: {},
            timeoutMs: 1,
            maxResponseBytes: 1,
            redirects: 0,
          },
          ...(status !== undefined && {
            response: { status, headers: {}, body: Buffer.from('down for s3cret reasons') },
          }),
          ...(failure !== undefined && { failure }),
        },
      ],
    }) as unknown as Parameters<typeof healthOf>[0];
  const mask = (text: string) => text.replaceAll('s3cret', '***');

  it('is good after an answer, even one that refuses the message', () => {
    expect(healthOf(outcome(undefined, 200), mask)).toEqual({ health: 'good' });
    expect(
      healthOf(outcome(new Failure('HTTP_STATUS', 'no', { statusCode: 400, kind: 'client' }), 400), mask)
        ?.health,
    ).toBe('good');
  });
  it('is bad after bad weather and server errors, refused after a 401, and names the request without its secrets', () => {
    expect(healthOf(outcome(new Failure('HTTP_NETWORK', 'gone', { kind: 'network' })), mask)?.health).toBe(
      'bad',
    );
    expect(healthOf(outcome(new Failure('HTTP_STATUS', 'no', { statusCode: 401 }), 401), mask)?.health).toBe(
      'refused',
    );
    const bad = healthOf(outcome(new Failure('HTTP_STATUS', 'no s3cret', { statusCode: 503 }), 503), mask);
    expect(bad).toMatchObject({
      health: 'bad',
      fault: {
        status: 503,
        request: 'POST https://api.example/send?key=***',
        excerpt: 'down for *** reasons',
      },
    });
    expect(JSON.stringify(bad)).not.toContain('s3cret');
  });
  it('says nothing after a limit', () => {
    expect(
      healthOf(outcome(new Failure('HTTP_STATUS', 'slow', { statusCode: 429 }), 429), mask),
    ).toBeUndefined();
  });
});

describe('while the lane is open', () => {
  const question = (more: Partial<Parameters<typeof decideRetry>[0]>) =>
    decideRetry({
      failure: new Failure('HTTP_STATUS', 'down', { statusCode: 503, kind: 'server' }),
      rule: { attempts: 3, on: ['5xx', 'network'], baseMs: 1_000, maxMs: 10_000, safe: true },
      tries: 3,
      durable: true,
      ownsMessage: true,
      unknownPolicy: 'hold',
      random: 0.5,
      ...more,
    });
  it('a failure to retry waits for the probe and costs no try', () => {
    expect(question({})).toEqual({ do: 'exit', spent: true });
    expect(question({ laneOpenForMs: 4_000 })).toEqual({ do: 'wait', delayMs: 4_000, reason: 'breaker' });
  });
  it('so does a refusal of the credentials, which is not retryable otherwise', () => {
    const failure = new Failure('HTTP_STATUS', 'who are you', { statusCode: 401, kind: 'client' });
    expect(question({ failure, tries: 1 })).toEqual({ do: 'exit' });
    expect(question({ failure, tries: 1, laneOpenForMs: 4_000 })).toMatchObject({
      do: 'wait',
      reason: 'breaker',
    });
  });
  it('a failure that is not retryable takes its exit as ever', () => {
    const failure = new Failure('HTTP_STATUS', 'no', { statusCode: 400, kind: 'client' });
    expect(question({ failure, laneOpenForMs: 4_000 })).toEqual({ do: 'exit' });
  });
});
