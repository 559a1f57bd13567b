import { afterEach, describe, expect, it } from 'vitest';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { createHttpClient, type HttpClient, type HttpClientOptions } from '../../src/outside/http-client.ts';
import { TEST_CERTIFICATE } from './certificate.ts';
import {
  answerJson,
  bodyOf,
  closeProviders,
  failureOf,
  request,
  startHttp,
  startHttp2,
  startHttps,
} from './provider.ts';

const clients: HttpClient[] = [];

function client(options: Partial<HttpClientOptions> = {}): HttpClient {
  const made = createHttpClient({
    guard: createAddressGuard(['127.0.0.1']),
    defaultConnections: 8,
    ...options,
  });
  clients.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((each) => each.close()));
  await closeProviders();
});

describe('http client', () => {
  it('sends method, path, headers and body as given, and gives back status, headers and body', async () => {
    const { url } = await startHttp(async (message, response) => {
      const { method, url: path, headers } = message;
      answerJson(response, { method, path, headers, body: await bodyOf(message) }, 202);
    });
    const answer = await client().send(
      request(`${url}/v1/send?to=%2B1&x=a+b#part`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-id': '7' },
        body: Buffer.from('{"text":"Grüße 😀"}'),
      }),
      'lane',
    );
    expect(answer.status).toBe(202);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      method: 'POST',
      path: '/v1/send?to=%2B1&x=a+b',
      headers: { 'content-type': 'application/json', 'x-id': '7', 'user-agent': 'sluiceway' },
      body: '{"text":"Grüße 😀"}',
    });
  });

  it("joins repeated headers, and leaves the author's user-agent", async () => {
    const { url } = await startHttp((message, response) => {
      response.setHeader('x-agent', message.headers['user-agent'] ?? '');
      response.setHeader('x-many', ['a', 'b']);
      response.end();
    });
    const { headers } = await client().send(request(url, { headers: { 'user-agent': 'acme/1' } }), 'lane');
    expect(headers).toMatchObject({ 'x-agent': 'acme/1', 'x-many': 'a, b' });
  });

  it('takes any status as an answer, and answers without a body', async () => {
    const { url } = await startHttp((message, response) => {
      response
        .writeHead(Number(message.url?.slice(1)), {
          'content-length': message.method === 'HEAD' ? 5_000_000 : 0,
        })
        .end();
    });
    const http = client();
    for (const status of [204, 301, 304, 404, 503]) {
      expect((await http.send(request(`${url}/${status}`), 'lane')).status).toBe(status);
    }
    const head = await http.send(request(`${url}/200`, { method: 'HEAD' }), 'lane');
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  });

  it('uses a connection again within a lane, and never that of another lane', async () => {
    const { url, connections } = await startHttp((_, response) => response.end('ok'));
    const http = client();
    for (let count = 0; count < 3; count += 1) await http.send(request(url, { poolSize: 1 }), 'a');
    expect(connections()).toBe(1);
    await http.send(request(url), 'b');
    expect(connections()).toBe(2);
    expect(http.poolCount()).toBe(2);
  });

  it('keeps to the number of connections', async () => {
    const arrived: (() => void)[] = [];
    const both = Promise.withResolvers<void>();
    const { url, connections } = await startHttp((_, response) => {
      arrived.push(() => response.end());
      if (arrived.length === 2) both.resolve();
    });
    const http = client();
    const sent = Array.from({ length: 6 }, () => http.send(request(url, { poolSize: 2 }), 'lane'));
    await both.promise;
    const finished = Promise.all(sent);
    const drain = setInterval(() => {
      for (const end of arrived.splice(0)) end();
    }, 1);
    expect(await finished).toHaveLength(6);
    clearInterval(drain);
    expect(connections()).toBe(2);
  });

  it('serves one lane while all connections of another hang', async () => {
    const { url } = await startHttp((message, response) => {
      if (message.url !== '/hang') response.end('ok');
    });
    const http = client({ defaultConnections: 2 });
    const hung = Array.from({ length: 50 }, () => failureOf(http.send(request(`${url}/hang`), 'dead')));
    expect((await http.send(request(url), 'alive')).body.toString()).toBe('ok');
    await http.close();
    expect(await Promise.all(hung)).toHaveLength(50);
  });

  it('closes pools that nobody uses', async () => {
    const { url, nextClose } = await startHttp((_, response) => response.end());
    const http = client({ idleMs: 10 });
    const closed = nextClose();
    await http.send(request(url), 'lane');
    await closed;
    expect(http.poolCount()).toBe(0);
    expect((await http.send(request(url), 'lane')).status).toBe(200);
  });

  it('keeps no more unused pools than it may', async () => {
    const { url } = await startHttp((_, response) => response.end());
    const http = client({ maxPools: 2 });
    for (const lane of ['a', 'b', 'a', 'c', 'd', 'a']) await http.send(request(url), lane);
    expect(http.poolCount()).toBe(2);
  });

  it('speaks TLS to servers it trusts', async () => {
    const { port } = await startHttps((_, response) => response.end('safe'));
    const guard = createAddressGuard([`provider.test:${port}`], async () => [
      { address: '127.0.0.1', family: 4 },
    ]);
    const http = client({ guard, trustedCertificates: [TEST_CERTIFICATE] });
    const answer = await http.send(request(`https://provider.test:${port}/`), 'lane');
    expect(answer.body.toString()).toBe('safe');
  });

  it('speaks HTTP/1.1 even to servers that would rather speak HTTP/2', async () => {
    const { port } = await startHttp2((message, response) => response.end(message.httpVersion));
    const guard = createAddressGuard([`localhost:${port}`], async () => [
      { address: '127.0.0.1', family: 4 },
    ]);
    const http = client({ guard, trustedCertificates: [TEST_CERTIFICATE] });
    expect((await http.send(request(`https://localhost:${port}/`), 'lane')).body.toString()).toBe('1.1');
  });

  it.each([
    ['/relative', /valid URL/],
    ['ftp://127.0.0.1/', /only https: and http:/],
    ['http://user:word@127.0.0.1/', /auth_type basic/],
  ])('refuses the address %s', async (url, message) => {
    const failure = await failureOf(client().send(request(url), 'lane'));
    expect(failure).toMatchObject({ code: 'HTTP_URL_INVALID', message: expect.stringMatching(message) });
    expect(failure.message).not.toContain('word@');
  });

  it.each([
    [{ 'x-a': 'two\r\nlines' }, 'x-a'],
    [{ 'x a': 'v' }, 'header key'],
    [{ 'x-a': 'Ω' }, 'x-a'],
    [{ 'transfer-encoding': 'chunked' }, 'transfer-encoding'],
    [{ 'content-length': '99' }, 'content-length'],
  ])('refuses headers that cannot be sent: %o', async (headers, named) => {
    const { url } = await startHttp((_, response) => response.end());
    const failure = await failureOf(
      client().send(request(url, { method: 'POST', body: Buffer.from('b'), headers }), 'lane'),
    );
    expect(failure).toMatchObject({ code: 'PIPE_PARAMS', message: expect.stringContaining(named) });
    expect(failure.details.ambiguous ?? false).toBe(false);
  });

  it('when closed: fails what was sent as ambiguous, what was not as not sent, and sends nothing more', async () => {
    const arrived = Promise.withResolvers<void>();
    const { url } = await startHttp(() => arrived.resolve());
    const http = client({ defaultConnections: 1 });
    const sent = failureOf(http.send(request(url), 'lane'));
    await arrived.promise;
    const queued = failureOf(http.send(request(url), 'lane'));
    await http.close();
    expect(await sent).toMatchObject({ code: 'HTTP_NETWORK', details: { kind: 'network', ambiguous: true } });
    expect((await queued).code).toBe('SHUTDOWN');
    expect((await failureOf(http.send(request(url), 'lane'))).code).toBe('SHUTDOWN');
  });
});
