import { afterEach, describe, expect, it } from 'vitest';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { createHttpClient, type HttpClient } from '../../src/outside/http-client.ts';
import { followRedirect } from '../../src/outside/http-redirect.ts';
import { answerJson, bodyOf, closeProviders, failureOf, freePort, request, startHttp } from './provider.ts';

const clients: HttpClient[] = [];

function client(...allow: string[]): HttpClient {
  const made = createHttpClient({ guard: createAddressGuard(allow), defaultConnections: 4 });
  clients.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((each) => each.close()));
  await closeProviders();
});

/** Answers with what it saw. */
const startMirror = () =>
  startHttp(async (message, response) => {
    answerJson(response, {
      method: message.method,
      path: message.url,
      headers: message.headers,
      body: await bodyOf(message),
    });
  });

const startRedirect = (status: number, location: () => string) =>
  startHttp((message, response) => {
    message.resume();
    response.writeHead(status, { location: location() }).end();
  });

const CREDENTIALS = {
  authorization: 'Bearer s',
  cookie: 'c=1',
  'x-api-key': 's',
  'content-type': 'text/plain',
  accept: '*/*',
};

describe('redirects', () => {
  it('are answers like any other unless asked for', async () => {
    const { url } = await startRedirect(302, () => '/elsewhere');
    const answer = await client('127.0.0.1').send(request(url), 'lane');
    expect(answer).toMatchObject({ status: 302, headers: { location: '/elsewhere' } });
  });

  it('are followed as often as asked, then answered', async () => {
    let hops = 0;
    const { url } = await startHttp((_, response) => {
      hops += 1;
      response.writeHead(302, { location: `/${hops}` }).end();
    });
    const answer = await client('127.0.0.1').send(request(url, { redirects: 3 }), 'lane');
    expect(answer).toMatchObject({ status: 302, headers: { location: '/4' } });
    expect(hops).toBe(4);
  });

  it('keep credentials within an origin', async () => {
    const { url } = await startHttp((message, response) => {
      if (message.url === '/') response.writeHead(307, { location: '/next' }).end();
      else answerJson(response, message.headers);
    });
    const answer = await client('127.0.0.1').send(
      request(`${url}/`, { redirects: 1, headers: CREDENTIALS }),
      'lane',
    );
    expect(JSON.parse(answer.body.toString())).toMatchObject(CREDENTIALS);
  });

  it('leave everything that may hold credentials behind when they cross to another origin', async () => {
    const mirror = await startMirror();
    const { url } = await startRedirect(307, () => `${mirror.url}/there`);
    const answer = await client('127.0.0.1').send(
      request(url, { method: 'POST', body: Buffer.from('text'), redirects: 1, headers: CREDENTIALS }),
      'lane',
    );
    const seen = JSON.parse(answer.body.toString());
    expect(seen).toMatchObject({
      method: 'POST',
      path: '/there',
      body: 'text',
      headers: { 'content-type': 'text/plain', accept: '*/*' },
    });
    for (const name of ['authorization', 'cookie', 'x-api-key'])
      expect(seen.headers).not.toHaveProperty(name);
  });

  it.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [302, 'PUT', 'PUT'],
    [308, 'POST', 'POST'],
  ])('with %i turn %s into %s', async (status, method, follows) => {
    const answer = { status, headers: { location: '/x' }, body: Buffer.alloc(0) };
    const sent = request('https://a.test/', {
      method,
      body: Buffer.from('b'),
      headers: { 'content-type': 'text/plain', a: '1' },
    });
    const hop = followRedirect(sent, answer);
    const becameGet = follows !== method;
    expect(hop).toMatchObject({
      performed: becameGet,
      request: { method: follows, url: 'https://a.test/x', headers: { a: '1' } },
    });
    expect(hop?.request.body === undefined).toBe(becameGet);
    expect(Object.hasOwn(hop?.request.headers ?? {}, 'content-type')).toBe(!becameGet);
  });

  it.each(['http://a.test/', 'ftp://a.test/', 'javascript:alert(1)', 'http://['])(
    'do not lead from https to %s',
    (location) => {
      const answer = { status: 302, headers: { location }, body: Buffer.alloc(0) };
      expect(followRedirect(request('https://a.test/'), answer)).toBeUndefined();
    },
  );

  it('are guarded at every hop', async () => {
    const inside = await startMirror();
    const { url, port } = await startRedirect(302, () => inside.url);
    const failure = await failureOf(client(`127.0.0.1:${port}`).send(request(url, { redirects: 5 }), 'lane'));
    expect(failure.code).toBe('ADDRESS_FORBIDDEN');
    expect(inside.connections()).toBe(0);
  });

  it('share one time limit', async () => {
    const { url } = await startHttp((message, response) => {
      if (message.url === '/') response.writeHead(302, { location: '/hang' }).end();
    });
    const failure = await failureOf(
      client('127.0.0.1').send(request(`${url}/`, { redirects: 1, timeoutMs: 100 }), 'lane'),
    );
    expect(failure.code).toBe('HTTP_TIMEOUT');
    expect(failure.message).toContain('0.1 s');
  });

  it('leave a doubt where the first hop did the work and only the way to its result failed', async () => {
    const dead = await freePort();
    const http = client('127.0.0.1');
    for (const [status, ambiguous] of [
      [303, true],
      [307, false],
    ] as const) {
      const { url } = await startRedirect(status, () => `http://127.0.0.1:${dead}/`);
      const failure = await failureOf(
        http.send(request(url, { method: 'POST', body: Buffer.from('b'), redirects: 1 }), 'lane'),
      );
      expect(failure).toMatchObject({ code: 'HTTP_NETWORK', details: { ambiguous } });
    }
  });
});
