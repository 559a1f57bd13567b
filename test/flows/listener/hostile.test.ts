import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Listener, VERIFICATION_PRESETS } from '../../../src/channel/document.ts';
import { Failure } from '../../../src/errors.ts';
import { type CompiledListener, compileListener } from '../../../src/flows/listener/compile-listener.ts';
import { readRequest } from '../../../src/flows/listener/read-request.ts';
import type { RequestIn } from '../../../src/flows/listener/request-in.ts';
import { NOW_MS } from './support.ts';

const NAMES = [
  'x-sig',
  'authorization',
  'stripe-signature',
  'webhook-signature',
  'webhook-timestamp',
  'webhook-id',
  'content-type',
  '__proto__',
  'constructor',
];
const headerName = fc.oneof(fc.constantFrom(...NAMES), fc.string({ minLength: 1 }));
const headerValue = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'application/x-www-form-urlencoded',
    't=1,v1=00,v1=',
    'v1,AAAA',
    'Basic =',
    'Basic Og==',
    '17'.repeat(20),
  ),
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .constantFrom(
      '['.repeat(100_000),
      `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
      '{"__proto__":{"id":1}}',
      'null',
    )
    .map((text) => Buffer.from(text)),
);
const requests: fc.Arbitrary<RequestIn> = fc
  .record({
    method: fc.string({ unit: 'binary' }),
    path: fc.string({ unit: 'binary' }),
    query: fc.oneof(fc.string({ unit: 'binary' }), fc.webQueryParameters()),
    headers: fc.array(fc.tuple(headerName, headerValue), { maxLength: 8 }),
    body,
    url: fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl({ withQueryParameters: true })),
  })
  .map(readRequest);

const scope = { sender: { secret: 'a secret', user: 'u' } };
const secrets = ['$sender.secret'];
const listeners: readonly Listener[] = [
  ...VERIFICATION_PRESETS.map((preset) => ({ verify: { preset, secrets } })),
  { verify: { type: 'token', query: 'token', secrets } },
  { verify: { type: 'token', body: 'a.%0.b', secrets } },
  { verify: { type: 'basic', username: '$sender.user', secrets } },
  {
    verify: {
      type: 'hmac',
      header: 'x-sig',
      signed: '{url}{path}{query}{params}{body:id}{header:x-sig}',
      secrets,
    },
  },
  { verify: { type: 'rsa', header: 'x-sig', secrets } },
];

describe('hostile requests', () => {
  it('never get in and never throw', () => {
    const compiled = listeners.map((listener) => compileListener(listener));
    fc.assert(
      fc.property(requests, (sent) => {
        for (const listener of compiled) {
          const verdict = listener.verify(sent, scope, NOW_MS);
          expect(verdict === false || verdict instanceof Failure).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('get a well-formed answer', async () => {
    const listener: CompiledListener = compileListener({
      response: {
        body: { echo: '$#{in.data?}', text: '$in.body' },
        headers: { 'x-echo': "${in.headers.'x-sig'}" },
      },
      dedupe: '$in.data',
    });
    await fc.assert(
      fc.asyncProperty(requests, fc.anything(), async (sent, value) => {
        for (const { answer } of [
          await listener.answer(sent, scope),
          await listener.resultAnswer(value, sent, scope),
        ]) {
          expect(answer.status).toBe(200);
          expect(() => new Response(answer.body, { headers: answer.headers })).not.toThrow();
        }
        const key = listener.dedupeKey(sent, scope);
        expect(key === undefined || (key.length > 0 && key.length <= 200)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('are met by conditions that do not hold', async () => {
    const listener = compileListener({
      responses: [
        { when: '$body.type = "no such type" and $form.a.b.c = 1', body: '$in.data' },
        { when: '$number($body.n) = 17.25', body: 'x' },
      ],
    });
    await fc.assert(
      fc.asyncProperty(requests, async (sent) => {
        expect((await listener.early(sent, scope, NOW_MS)).answer).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });
});
