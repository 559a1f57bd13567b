/** Examples of the `http_request` pipe: docs and tests at once. */
import type { PipeExample } from './pipe-example.ts';

const URL_SMS = 'https://api.acme.example/sms';

export const HTTP_EXAMPLES: readonly PipeExample[] = Object.freeze([
  {
    name: 'a packed JSON body, with a bearer token',
    params: {
      url: '$sender.base/sms',
      method: 'POST',
      content_type: 'json',
      auth_type: 'bearer',
      auth_token: '$sender.token',
    },
    in: { body: Buffer.from('{"to":"+100"}') },
    scope: { sender: { base: 'https://api.acme.example', token: 't' } },
    answers: [{ status: 202, body: { id: 'p-9' } }],
    expect: {
      exit: 'success',
      add: { status: 202, body: '{"id":"p-9"}' },
      requests: [
        {
          method: 'POST',
          url: URL_SMS,
          headers: { 'content-type': 'application/json' },
          body: '{"to":"+100"}',
          auth: { type: 'bearer', token: 't' },
          timeoutMs: 10_000,
          redirects: 0,
        },
      ],
    },
  },
  {
    name: 'fields in the query string: repeated, empty, and null, which is left out',
    params: {
      url: `${URL_SMS}?v=2`,
      query: { key: '$sender.token' },
      form: { text: '$in.text', tag: ['a', 'b'], from: '', skip: '$#in.nothing' },
    },
    in: { text: 'Tom & Ann', nothing: null },
    scope: { sender: { token: 't' } },
    answers: [{ status: 200 }],
    expect: {
      exit: 'success',
      requests: [{ method: 'GET', url: `${URL_SMS}?v=2&key=t&text=Tom%20%26%20Ann&tag=a&tag=b&from=` }],
    },
  },
  {
    name: 'a form as body',
    params: {
      url: URL_SMS,
      method: 'POST',
      content_type: 'urlencoded',
      form: { to: '$in.phone', text: 'a b' },
    },
    in: { phone: '+100' },
    answers: [{ status: 200 }],
    expect: {
      exit: 'success',
      requests: [
        {
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: 'to=%2B100&text=a+b',
        },
      ],
    },
  },
  {
    name: 'the message id makes repeats safe',
    params: { url: URL_SMS, method: 'POST', idempotency_header: 'Idempotency-Key' },
    scope: { message: { id: 'm-1', attempt: 1 } },
    answers: [{ status: 200 }],
    expect: { exit: 'success', requests: [{ headers: { 'idempotency-key': 'm-1' } }] },
  },
  {
    name: 'a status outside of the success codes; the answer is there for the error exit',
    params: { url: URL_SMS, success_codes: [200, '202-204'] },
    answers: [{ status: 201, headers: { 'X-Trace': 'z' }, body: 'created' }],
    expect: {
      exit: 'error',
      code: 'HTTP_STATUS',
      add: { status: 201, headers: { 'x-trace': 'z' }, body: 'created' },
    },
  },
  {
    name: 'a provider that refuses with status 200',
    params: { url: URL_SMS, success_when: '$body.ok = true' },
    answers: [{ status: 200, body: { ok: false, reason: 'blocked' } }],
    expect: {
      exit: 'error',
      code: 'HTTP_REJECTED',
      add: { status: 200, body: '{"ok":false,"reason":"blocked"}' },
    },
  },
  {
    name: 'no packed body',
    params: { url: URL_SMS, method: 'POST', content_type: 'json' },
    in: { body: '{"to":"+100"}' },
    expect: { exit: 'error', code: 'PIPE_INPUT', requests: [] },
  },
  {
    name: 'an address with a password in it',
    params: { url: '$in.address' },
    in: { address: 'https://user:password@api.acme.example/' },
    expect: { exit: 'error', code: 'HTTP_URL_INVALID', requests: [] },
  },
  {
    name: 'a line break in a header',
    params: { url: URL_SMS, headers: { 'X-Name': '$in.name' } },
    in: { name: 'Ann\r\nX-Admin: 1' },
    expect: { exit: 'error', code: 'PIPE_PARAMS', requests: [] },
  },
]);
