import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { isObject } from '../../src/json.ts';
import { httpRequest } from '../../src/pipes/http-request.ts';
import { paramsSchema } from '../../src/pipes/params.ts';
import type { PipeExample } from '../../src/pipes/pipe-example.ts';
import { runExample } from '../support/run-example.ts';

const url = 'https://api.acme.example/v1';

function play(params: Readonly<Record<string, unknown>>, more: Partial<PipeExample> = {}) {
  return runExample('http_request', {
    name: '',
    params: { url, ...params },
    answers: [{ status: 200 }],
    expect: { exit: 'success' },
    ...more,
  });
}

const sent = async (params: Readonly<Record<string, unknown>>, more?: Partial<PipeExample>) =>
  (await play(params, more)).requests[0];

const failing = async (params: Readonly<Record<string, unknown>>, more?: Partial<PipeExample>) => {
  const played = await play(params, more);
  expect(played.requests).toEqual([]);
  return played.outcome.trail[0]?.failure;
};

describe('the address', () => {
  test('keeps its own query, loses its fragment, and takes what is added percent-encoded', async () => {
    const request = await sent({
      url: `${url}?sig=a%2Bb&x#frag`,
      query: { q: 'ä&=?#\ud800', o: { a: 1 } },
      form: { n: 1.5 },
    });
    expect(request?.url).toBe(`${url}?sig=a%2Bb&x&q=%C3%A4%26%3D%3F%23%EF%BF%BD&o=%7B%22a%22%3A1%7D&n=1.5`);
  });

  test.each([
    'api.acme.example/v1',
    '/v1',
    'ftp://api.acme.example',
    'file:///etc/passwd',
    'https://',
    'https://user@api.acme.example',
    'https://:secret@api.acme.example',
    'javascript:alert(1)',
    '',
  ])('%j is refused', async (address) => {
    const failure = await failing({ url: '$in.address' }, { in: { address } });
    expect(failure?.code).toBe('HTTP_URL_INVALID');
    expect(failure?.message).not.toContain('secret');
  });
});

describe('headers', () => {
  test('are in lower case; null is left out, empty stays, a list is joined', async () => {
    const request = await sent({ headers: { 'X-A': 1, 'X-B': null, 'X-C': '', 'X-D': ['a', 'b'] } });
    expect(request?.headers).toEqual({ 'x-a': '1', 'x-c': '', 'x-d': 'a, b' });
  });

  test('a name of the prototype is a header like any other', async () => {
    const request = await sent({ headers: { $: '{ "__proto__": "1" }' } });
    expect(Object.entries(request?.headers ?? {})).toEqual([['__proto__', '1']]);
  });

  test.each([
    [{ 'X A': '1' }],
    [{ 'X-A': 'a\nb' }],
    [{ 'X-A': 'привет' }],
    [{ 'Content-Length': '3' }],
    [{ 'Transfer-Encoding': 'chunked' }],
    [{ 'X-A': '1', 'x-a': '2' }],
  ])('%j is refused', async (headers) => {
    expect((await failing({ headers }))?.code).toBe('PIPE_PARAMS');
  });

  test("the author's content type wins, except for multipart", async () => {
    const headers = { 'Content-Type': 'application/vnd.acme+json' };
    const more = { in: { body: Buffer.from('{}') } };
    const json = await sent({ method: 'POST', content_type: 'json', headers }, more);
    expect(json?.headers).toEqual({ 'content-type': 'application/vnd.acme+json' });
    const multipart = await sent({ method: 'POST', content_type: 'form-data', form: { a: 1 }, headers });
    expect(multipart?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
  });

  test('an array as a whole value is a part of a multipart form per element', async () => {
    const files = [{ name: 'a.txt', content: 'A' }, { name: 'b.txt', content: 'B' }, 'plain'];
    const params = { method: 'POST', content_type: 'form-data', form: { files: '$$in.files' } };
    const request = await sent(params, { in: { files } });
    const type = request?.headers['content-type'] ?? '';
    const form = await new Response(request?.body, { headers: { 'content-type': type } }).formData();
    const parts = form.getAll('files').map((part) => (typeof part === 'string' ? part : part.name));
    expect(parts).toEqual(['a.txt', 'b.txt', 'plain']);
  });

  test('without a body there is no content type', async () => {
    const request = await sent({ method: 'GET', content_type: 'json' });
    expect(request?.headers).toEqual({});
    expect(request?.body).toBeUndefined();
  });

  test('an idempotency header needs a message', async () => {
    expect((await failing({ idempotency_header: 'X-Id' }))?.message).toContain('belongs to no message');
  });
});

describe('the rest of the request', () => {
  test('numbers arrive in their units', async () => {
    const request = await sent({
      timeout: 2.5,
      max_response: 10,
      redirects: 3,
      pool_size: 4,
      limit: { requests: 10, per: 1, scope: 'sender', burst: 2 },
    });
    expect(request).toMatchObject({
      timeoutMs: 2500,
      maxResponseBytes: 10,
      redirects: 3,
      poolSize: 4,
      limit: { requests: 10, perSeconds: 1, scope: 'sender', burst: 2 },
    });
  });

  test('the defaults of the format', async () => {
    expect(await sent({})).toEqual({
      method: 'GET',
      url,
      headers: {},
      timeoutMs: 10_000,
      maxResponseBytes: 1_048_576,
      redirects: 0,
    });
  });

  test('a method from a template is checked', async () => {
    expect((await sent({ method: '$in.m' }, { in: { m: 'patch' } }))?.method).toBe('PATCH');
    expect((await failing({ method: '$in.m' }, { in: { m: 'TRACE' } }))?.code).toBe('PIPE_PARAMS');
  });
});

describe('authorization', () => {
  test.each([
    [
      { auth_type: 'basic', auth_username: 'u', auth_password: '' },
      { type: 'basic', username: 'u', password: '' },
    ],
    [
      { auth_type: 'api_key', auth_name: 'X-Key', auth_value: '$sender.key' },
      { type: 'api_key', name: 'x-key', value: 's3cret', place: 'header' },
    ],
    [
      { auth_type: 'api_key', auth_name: 'Key', auth_value: 'k', auth_place: 'query' },
      { type: 'api_key', name: 'Key', value: 'k', place: 'query' },
    ],
    [
      {
        auth_type: 'oauth2',
        auth_token_url: 'https://id.acme.example/token',
        auth_client_id: 'c',
        auth_client_secret: '$sender.key',
        auth_scope: 'a b',
        auth_extra: { audience: 'x' },
      },
      {
        type: 'oauth2',
        tokenUrl: 'https://id.acme.example/token',
        clientId: 'c',
        clientSecret: 's3cret',
        clientAuth: 'basic',
        scope: 'a b',
        extra: { audience: 'x' },
      },
    ],
    [
      {
        auth_type: 'jwt',
        auth_algorithm: 'ES256',
        auth_private_key: '$sender.key',
        auth_claims: { iss: 'me' },
      },
      { type: 'jwt', algorithm: 'ES256', privateKey: 's3cret', claims: { iss: 'me' }, lifetimeSeconds: 600 },
    ],
    [
      {
        auth_type: 'hmac',
        auth_secret: '$sender.key',
        auth_prefix: 'sha256=',
        auth_timestamp_header: 'X-Time',
      },
      {
        type: 'hmac',
        algorithm: 'sha256',
        secret: 's3cret',
        header: 'x-signature',
        prefix: 'sha256=',
        encoding: 'hex',
        signed: '{body}',
        timestampHeader: 'x-time',
      },
    ],
  ])('%j', async (params, auth) => {
    expect(httpRequest.check?.({ url, ...params })).toEqual([]);
    expect((await sent(params, { scope: { sender: { key: 's3cret' } } }))?.auth).toEqual(auth);
  });

  test('an empty or unstorable credential is refused and not quoted', async () => {
    const empty = await failing(
      { auth_type: 'bearer', auth_token: '$sender.t' },
      { scope: { sender: { t: '' } } },
    );
    expect(empty?.message).toContain('"auth_token", but it is empty');
    const broken = await failing(
      { auth_type: 'bearer', auth_token: '$sender.t' },
      { scope: { sender: { t: 's3cret\nX-Admin: 1' } } },
    );
    expect(broken?.code).toBe('PIPE_PARAMS');
    expect(broken?.message).not.toContain('s3cret');
    const url = {
      auth_type: 'oauth2',
      auth_token_url: 'id.example',
      auth_client_id: 'c',
      auth_client_secret: 's',
    };
    expect((await failing(url))?.message).toContain('"auth_token_url"');
  });

  test('every credential is declared secret', () => {
    for (const name of [
      'password',
      'token',
      'value',
      'client_secret',
      'refresh_token',
      'private_key',
      'secret',
    ]) {
      expect(httpRequest.params[`auth_${name}`]?.secret, name).toBe(true);
    }
  });
});

describe('what check finds in params as written', () => {
  const pointers = (params: Readonly<Record<string, unknown>>) =>
    (httpRequest.check?.({ url, ...params }) ?? []).map((problem) => problem.pointer);

  test.each([
    [{ url: 'https://$in.host/x' }, ['/url']],
    [{ url: 'https://api.acme.example$in.path' }, ['/url']],
    [{ url: 'https://$sender.host:$in.port/x' }, ['/url']],
    [{ url: '$in.base.example/x' }, []],
    [{ url: '$template.text' }, ['/url']],
    [{ url: '$profile.url/x' }, ['/url']],
    [{ url: '$origin.body.url' }, ['/url']],
    [{ url: '$sender.url' }, []],
    [{ url: '${in.base}.example/x' }, ['/url']],
    [{ url: '$in.scheme://acme.example' }, ['/url']],
    [{ url: 'acme.example/x' }, ['/url']],
    [{ url: 'https://$sender.host/$in.path?x=$in.x' }, []],
    [{ url: '$sender.base/x' }, []],
    [{ url: '${sender.base}x.example/y' }, []],
    [{ url: '$in.data.upload_url' }, []],
    [{ url: 'https://acme.example/$in.path' }, []],
    [{ content_type: 'form-data', form: { a: 1 } }, ['/form']],
    [{ method: 'POST', content_type: 'form-data', form: { a: 1 } }, []],
    [{ method: '$in.m', content_type: 'form-data', form: { a: 1 } }, []],
    [{ method: 'POST', content_type: 'json', form: { a: 1 } }, ['/form']],
    [{ auth_type: 'basic', auth_username: 'u' }, ['/auth_type']],
    [{ auth_token: 't' }, ['/auth_token']],
    [{ auth_type: 'hmac', auth_secret: 's', auth_algorithm: 'RS256' }, ['/auth_algorithm']],
    [{ success_codes: [200, '2xx', '200-208', '204'] }, []],
    [
      { success_codes: [200, 'ok', '300-200', '6xx', 20] },
      [1, 2, 3, 4].map((index) => `/success_codes/${index}`),
    ],
    [{ retry: { on: ['network', 429, '5xx', 'rejected'] } }, []],
    [{ retry: { on: ['weather', '500-504'] } }, ['/retry/on/0', '/retry/on/1']],
    [{ retry: { delays: [1], base: 2 } }, ['/retry/base']],
  ])('%j', (params, found) => {
    expect(pointers(params)).toEqual(found);
  });
});

test('no answer leaves as the capability threw it', async () => {
  const lost = new Failure('HTTP_TIMEOUT', 'No answer came.', {
    kind: 'timeout',
    statusCode: 0,
    ambiguous: true,
  });
  const example = { name: '', params: { url }, expect: { exit: 'error' } } as const;
  const played = await runExample('http_request', example, () => Promise.reject(lost));
  expect(played.exit).toBe('error');
  expect(played.outcome.trail[0]?.failure).toBe(lost);
  expect(played.in).not.toHaveProperty('status');
});

test('its schema has a description for every param', () => {
  const { properties } = paramsSchema(httpRequest.params);
  expect(isObject(properties)).toBe(true);
  for (const [name, schema] of Object.entries(properties as object)) {
    expect(isObject(schema) && schema.description, name).toBeTruthy();
  }
});
