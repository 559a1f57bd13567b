import { expect, it } from 'vitest';
import { createRedactValue } from '../../src/testing/redact.ts';

const redact = createRedactValue(['s3cret&key', 'other-secret']);

it('masks secrets by value, at any depth and in the forms they travel in', () => {
  expect(
    redact({ a: ['x s3cret&key y'], url: 'https://a.example/?k=s3cret%26key', n: 7, none: null }),
  ).toEqual({
    a: ['x *** y'],
    url: 'https://a.example/?k=***',
    n: 7,
    none: null,
  });
});

it('masks basic credentials that hold one, and no others', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  expect(redact(basic('acme:other-secret'))).toBe('Basic ***');
  expect(redact(basic('acme:open'))).toBe(basic('acme:open'));
});

it('masks signed tokens, which are credentials too', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  expect(redact(`Bearer ${part({ alg: 'RS256' })}.${part({ sub: 'a' })}.c2ln`)).toBe('Bearer ***');
});

it('leaves everything else alone', () => {
  const value = { text: 'Nothing to see', list: [1, true, null] };
  expect(redact(value)).toEqual(value);
});
