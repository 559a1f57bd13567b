import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createAddressGuard, type Resolve } from '../../src/outside/address-guard.ts';
import { createHttpClient, type HttpClient } from '../../src/outside/http-client.ts';
import { closeProviders, failureOf, freePort, request, startHttp, startHttps, startTcp } from './provider.ts';

const clients: HttpClient[] = [];

function client(allow: readonly string[] = ['127.0.0.1'], resolve?: Resolve): HttpClient {
  const made = createHttpClient({ guard: createAddressGuard(allow, resolve), defaultConnections: 1 });
  clients.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((each) => each.close()));
  await closeProviders();
});

const NETWORK_SENT = { code: 'HTTP_NETWORK', details: { kind: 'network', statusCode: 0, ambiguous: true } };
const NETWORK_UNSENT = {
  code: 'HTTP_NETWORK',
  details: { kind: 'network', statusCode: 0, ambiguous: false },
};

describe('no connection: nothing was sent, so nothing is in doubt', () => {
  it('refused', async () => {
    const failure = await failureOf(
      client().send(request(`http://127.0.0.1:${await freePort()}/p?token=s3cret`), 'lane'),
    );
    expect(failure).toMatchObject(NETWORK_UNSENT);
    expect(failure.message).toBe('No answer from 127.0.0.1: the connection was refused.');
  });

  it('a name that does not resolve', async () => {
    const missing: Resolve = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    };
    const failure = await failureOf(client([], missing).send(request('http://nowhere.test/'), 'lane'));
    expect(failure).toMatchObject(NETWORK_UNSENT);
    expect(failure.message).toContain('nowhere.test: its name could not be resolved');
  });

  it('a certificate that is not trusted', async () => {
    const { url } = await startHttps((_, response) => response.end());
    const failure = await failureOf(client().send(request(url), 'lane'));
    expect(failure).toMatchObject(NETWORK_UNSENT);
    expect(failure.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it('a port that does not speak TLS', async () => {
    const { port } = await startHttp((_, response) => response.end());
    expect(await failureOf(client().send(request(`https://127.0.0.1:${port}/`), 'lane'))).toMatchObject(
      NETWORK_UNSENT,
    );
  });

  it('time over while the name is resolved', async () => {
    const never: Resolve = () => new Promise(() => {});
    const failure = await failureOf(
      client([], never).send(request('http://slow.test/', { timeoutMs: 20 }), 'lane'),
    );
    expect(failure).toMatchObject({
      code: 'HTTP_TIMEOUT',
      details: { kind: 'timeout', statusCode: 0, ambiguous: false },
    });
  });

  it('time over while waiting for a connection; the late request never leaves', async () => {
    const paths: (string | undefined)[] = [];
    const { url } = await startHttp((message, response) => {
      paths.push(message.url);
      if (message.url !== '/first') response.end();
    });
    const http = client();
    const first = failureOf(http.send(request(`${url}/first`, { timeoutMs: 200 }), 'lane'));
    const second = failureOf(http.send(request(`${url}/second`, { timeoutMs: 20 }), 'lane'));
    expect(await second).toMatchObject({ code: 'HTTP_TIMEOUT', details: { ambiguous: false } });
    expect(await first).toMatchObject({ code: 'HTTP_TIMEOUT', details: { ambiguous: true } });
    await http.send(request(`${url}/third`), 'lane');
    expect(paths).toEqual(['/first', '/third']);
  });
});

describe('no whole answer: the request was sent and may have arrived', () => {
  it('a server that hangs', async () => {
    const { url } = await startHttp(() => {});
    const failure = await failureOf(
      client().send(request(`${url}/p?token=s3cret`, { timeoutMs: 30 }), 'lane'),
    );
    expect(failure).toMatchObject({
      code: 'HTTP_TIMEOUT',
      details: { kind: 'timeout', statusCode: 0, ambiguous: true },
    });
    expect(failure.message).not.toContain('s3cret');
  });

  it('a body that trickles for longer than the time for the whole exchange', async () => {
    const { url, nextClose } = await startHttp((_, response) => {
      const drip = setInterval(() => response.write('.'), 5);
      response.on('close', () => clearInterval(drip));
    });
    const closed = nextClose();
    const failure = await failureOf(client().send(request(url, { timeoutMs: 100 }), 'lane'));
    expect(failure).toMatchObject({ code: 'HTTP_TIMEOUT', details: { ambiguous: true } });
    await closed;
  });

  it('a connection closed before, and in the middle of, the answer', async () => {
    const { port } = await startTcp((socket) => {
      socket.once('data', (bytes) => {
        if (bytes.toString().startsWith('GET /half'))
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly');
        socket.end();
      });
    });
    const http = client();
    for (const path of ['', 'half']) {
      const failure = await failureOf(http.send(request(`http://127.0.0.1:${port}/${path}`), 'lane'));
      expect(failure).toMatchObject(NETWORK_SENT);
      expect(failure.message).toContain('may have arrived');
    }
  });

  it('a connection reset in the middle of the answer', async () => {
    const { port } = await startTcp((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n', () => socket.resetAndDestroy()));
    });
    expect(await failureOf(client().send(request(`http://127.0.0.1:${port}/`), 'lane'))).toMatchObject(
      NETWORK_SENT,
    );
  });

  it.each([
    'SSH-2.0-OpenSSH_9\r\n\r\n',
    'HTTP/1.1 999999 no\r\n\r\n',
    '\0\0\0\0',
    'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  ])('an answer that is no HTTP: %j', async (garbage) => {
    const { port } = await startTcp((socket) => {
      socket.once('data', () => socket.end(garbage));
    });
    expect(await failureOf(client().send(request(`http://127.0.0.1:${port}/`), 'lane'))).toMatchObject(
      NETWORK_SENT,
    );
  });
});

describe('forbidden addresses', () => {
  it('refuses a literal before anything is opened', async () => {
    const { url, connections } = await startHttp((_, response) => response.end());
    expect(await failureOf(client([]).send(request(url), 'lane'))).toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
      details: { kind: 'forbidden_address' },
    });
    expect(connections()).toBe(0);
  });

  it('refuses a name whose address changes after it was found good', async () => {
    const { port, connections } = await startHttp((_, response) => response.end());
    const addresses = ['93.184.216.34', '127.0.0.1'];
    const guard = createAddressGuard([], async () => [{ address: addresses.shift() ?? '', family: 4 }]);
    await guard.resolve('rebind.test', port);
    const http = createHttpClient({ guard, defaultConnections: 1 });
    clients.push(http);
    expect((await failureOf(http.send(request(`http://rebind.test:${port}/`), 'lane'))).code).toBe(
      'ADDRESS_FORBIDDEN',
    );
    expect(connections()).toBe(0);
  });

  it('connects to the very address it checked, asking once', async () => {
    const { port } = await startHttp((message, response) => response.end(message.headers.host));
    const answers = ['127.0.0.1', '10.0.0.1'];
    const pinned: Resolve = async () => [{ address: answers.shift() ?? '', family: 4 }];
    const answer = await client([`pinned.test:${port}`], pinned).send(
      request(`http://pinned.test:${port}/`),
      'lane',
    );
    expect(answer.body.toString()).toBe(`pinned.test:${port}`);
    expect(answers).toEqual(['10.0.0.1']);
  });
});

describe('size of answers', () => {
  const TOO_LARGE = { code: 'HTTP_RESPONSE_SIZE', details: { kind: 'response_size', statusCode: 200 } };

  it.each([true, false])(
    'stops reading 100 MB at the limit and ends the connection (announced: %s)',
    async (announced) => {
      const megabyte = Buffer.alloc(1_048_576);
      let written = 0;
      const { url, nextClose } = await startHttp((_, response) => {
        if (announced) response.setHeader('content-length', 100 * megabyte.length);
        const push = (): void => {
          while (written < 100 && !response.destroyed) {
            written += 1;
            if (!response.write(megabyte)) return void response.once('drain', push);
          }
          response.end();
        };
        push();
      });
      const closed = nextClose();
      const failure = await failureOf(client().send(request(url, { maxResponseBytes: 1000 }), 'lane'));
      expect(failure).toMatchObject(TOO_LARGE);
      expect(failure.details.add).toMatchObject({ status: 200, body: Buffer.alloc(0) });
      await closed;
      expect(written).toBeLessThan(100);
    },
  );

  it('takes exactly as much as the limit', async () => {
    const { url } = await startHttp((_, response) => response.end('x'.repeat(1000)));
    const http = client();
    expect((await http.send(request(url, { maxResponseBytes: 1000 }), 'lane')).body).toHaveLength(1000);
    expect(await failureOf(http.send(request(url, { maxResponseBytes: 999 }), 'lane'))).toMatchObject(
      TOO_LARGE,
    );
  });

  it.each([
    ['gzip', gzipSync('packed text')],
    ['x-gzip', gzipSync('packed text')],
    ['br', brotliCompressSync('packed text')],
    ['deflate', deflateSync('packed text')],
    ['deflate', deflateRawSync('packed text')],
    ['gzip, br', brotliCompressSync(gzipSync('packed text'))],
    ['identity', Buffer.from('packed text')],
  ])('unpacks %s', async (encoding, packed) => {
    const { url } = await startHttp((_, response) =>
      response.setHeader('content-encoding', encoding).end(packed),
    );
    const answer = await client().send(request(url), 'lane');
    expect(answer.body.toString()).toBe('packed text');
    if (encoding !== 'identity') expect(answer.headers).not.toHaveProperty('content-encoding');
  });

  it('leaves codings it does not know', async () => {
    const { url } = await startHttp((_, response) =>
      response.setHeader('content-encoding', 'zstd').end('raw'),
    );
    const answer = await client().send(request(url), 'lane');
    expect(answer).toMatchObject({ headers: { 'content-encoding': 'zstd' }, body: Buffer.from('raw') });
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(50_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(50_000_000))],
    ['gzip, gzip', gzipSync(gzipSync(Buffer.alloc(50_000_000)))],
  ])('stops a bomb of %s at the limit', async (encoding, bomb) => {
    const { url } = await startHttp((_, response) =>
      response.setHeader('content-encoding', encoding).end(bomb),
    );
    expect(await failureOf(client().send(request(url), 'lane'))).toMatchObject(TOO_LARGE);
  });

  it('says when a packed answer is broken', async () => {
    const { url } = await startHttp((_, response) =>
      response.setHeader('content-encoding', 'gzip').end('no gzip'),
    );
    expect(await failureOf(client().send(request(url), 'lane'))).toMatchObject({
      code: 'PARSE_FAILED',
      details: { kind: 'server', statusCode: 200 },
    });
  });
});
