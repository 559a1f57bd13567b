import { expect, it } from 'vitest';
import { readRequest } from '../../../src/flows/listener/read-request.ts';

const raw = { method: 'post', path: '/extra', query: '', headers: [], body: new Uint8Array() };

it('keeps the request as it came', () => {
  const bytes = new Uint8Array([0, 255, 10]).subarray(1);
  const read = readRequest({
    ...raw,
    query: '?a=1&b=x+y&a=%32&c&__proto__=p',
    headers: [
      ['X-Sig', 'abc'],
      ['x-list', '1'],
      ['X-List', '2'],
      ['Cookie', 'a=1'],
      ['cookie', 'b=2'],
      ['__proto__', 'h'],
    ],
    body: bytes,
    url: 'https://a.example/x?a=1',
  });
  expect(read.method).toBe('POST');
  expect(read.path).toBe('/extra');
  expect(read.url).toBe('https://a.example/x?a=1');
  expect(read.body.equals(Buffer.from([255, 10]))).toBe(true);
  expect(Object.entries(read.form)).toEqual([
    ['a', ['1', '2']],
    ['b', 'x y'],
    ['c', ''],
    ['__proto__', 'p'],
  ]);
  expect(Object.entries(read.headers)).toEqual([
    ['x-sig', 'abc'],
    ['x-list', '1, 2'],
    ['cookie', 'a=1; b=2'],
    ['__proto__', 'h'],
  ]);
  expect(Object.getPrototypeOf(read.form)).toBe(Object.prototype);
});

it('takes the Headers of a fetch request, and leaves the address out where it is not known', () => {
  const read = readRequest({ ...raw, headers: new Headers({ 'X-A': '1' }) });
  expect(read.headers).toEqual({ 'x-a': '1' });
  expect(Object.hasOwn(read, 'url')).toBe(false);
});

it('reads a broken query as far as it goes', () => {
  expect(readRequest({ ...raw, query: '%zz=%&%ff=1&=2' }).form).toEqual({
    '%zz': '%',
    '\ufffd': '1',
    '': '2',
  });
});
