import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../src/pipes/contract.ts';
import { showRequest, showValue } from '../../src/testing/shown-request.ts';

function request(type: string, body: string): HttpRequest {
  return {
    method: 'POST',
    url: 'https://a.example/x?y=1',
    headers: { 'content-type': type, 'x-id': '7' },
    body: Buffer.from(body),
    timeoutMs: 1000,
    maxResponseBytes: 10,
    redirects: 0,
  };
}

describe('a shown request', () => {
  it.each([
    ['application/json; charset=utf-8', '{"a":[1]}', { json: { a: [1] } }],
    ['application/problem+json', '{"a":1}', { json: { a: 1 } }],
    [
      'application/xml',
      '<sms id="7"><to>1</to><to>2</to></sms>',
      { xml: { sms: { '-id': '7', to: ['1', '2'] } } },
    ],
    ['application/x-www-form-urlencoded', 'a=1&b=x+y&a=2', { form: { a: ['1', '2'], b: 'x y' } }],
    ['text/plain', 'Hi', { text: 'Hi' }],
    ['application/json', 'not json', { text: 'not json' }],
  ])('has a body of type %s in its own form', async (type, body, shown) => {
    expect(await showRequest(request(type, body))).toEqual({
      method: 'POST',
      url: 'https://a.example/x?y=1',
      headers: { 'content-type': type, 'x-id': '7' },
      ...shown,
    });
  });

  it('shows the parts of a multipart body and not its boundary', async () => {
    const file =
      'Content-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nabc';
    const body = `--b1\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b1\r\n${file}\r\n--b1--\r\n`;
    expect(await showRequest(request('multipart/form-data; boundary=b1', body))).toMatchObject({
      headers: { 'content-type': 'multipart/form-data' },
      form: { a: '1', f: { name: 'a.txt', type: 'text/plain', size: 3 } },
    });
  });

  it('has no body where none was sent', async () => {
    const { body: _body, ...bare } = request('application/json', '');
    expect(Object.keys(await showRequest(bare))).toEqual(['method', 'url', 'headers']);
  });
});

describe('a shown value', () => {
  it('has bytes as text and leaves out what is not there', () => {
    expect(showValue({ a: Buffer.from('ä'), b: undefined, c: [undefined, 1] })).toEqual({
      a: 'ä',
      c: [null, 1],
    });
  });
});
