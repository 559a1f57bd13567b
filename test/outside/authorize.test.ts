import { createHmac, generateKeyPairSync } from 'node:crypto';
import { importSPKI, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { authorize } from '../../src/outside/authorize.ts';
import type { HttpAuth, HttpRequest } from '../../src/pipes/contract.ts';
import { deps, keep, NOW_MS, startBank, tokenOf, useClient } from './bank.ts';
import { answerJson, bodyOf, failureOf, request, startHttp } from './provider.ts';

useClient();

/** What arrives at a provider that takes everything. */
async function seen(auth: HttpAuth, more: Partial<HttpRequest> = {}, path = '/v1?x=a+b') {
  const { url } = await startHttp(async (message, response) => {
    answerJson(response, { path: message.url, headers: message.headers, body: await bodyOf(message) });
  });
  const answer = await authorize(request(url + path, { ...more, auth }), deps());
  return JSON.parse(answer.body.toString()) as {
    path: string;
    headers: Record<string, string>;
    body: string;
  };
}

describe('authorization by the request alone', () => {
  it('basic', async () => {
    const { headers } = await seen({ type: 'basic', username: 'Jörg', password: 'pa:ss' });
    expect(headers.authorization).toBe(`Basic ${Buffer.from('Jörg:pa:ss').toString('base64')}`);
    const failure = await failureOf(
      authorize(
        request('http://127.0.0.1/', { auth: { type: 'basic', username: 'a:b', password: '' } }),
        deps(),
      ),
    );
    expect(failure.code).toBe('PIPE_PARAMS');
  });

  it('bearer, over a header the author set', async () => {
    const { headers } = await seen({ type: 'bearer', token: 't-1' }, { headers: { authorization: 'old' } });
    expect(headers.authorization).toBe('Bearer t-1');
  });

  it('api_key in a header and in the query, which stays as written', async () => {
    expect(
      (await seen({ type: 'api_key', name: 'X-Key', value: 'k', place: 'header' })).headers['x-key'],
    ).toBe('k');
    const key: HttpAuth = { type: 'api_key', name: 'key', value: 'a&b=c', place: 'query' };
    expect((await seen(key)).path).toBe('/v1?x=a+b&key=a%26b%3Dc');
    expect((await seen(key, {}, '/v1#part')).path).toBe('/v1?key=a%26b%3Dc');
  });

  it('hmac over method, path, time and raw body', async () => {
    const body = Buffer.from([0xff, 0x00, 0x41]);
    const { headers } = await seen(
      {
        type: 'hmac',
        algorithm: 'sha256',
        secret: 's',
        header: 'X-Sig',
        prefix: 'v1=',
        encoding: 'hex',
        signed: '{method}\n{path}\n{timestamp}.{body}',
        timestampHeader: 'X-Time',
      },
      { method: 'POST', body },
    );
    const text = Buffer.concat([Buffer.from(`POST\n/v1?x=a+b\n${NOW_MS / 1000}.`), body]);
    expect(headers['x-sig']).toBe(`v1=${createHmac('sha256', 's').update(text).digest('hex')}`);
    expect(headers['x-time']).toBe(String(NOW_MS / 1000));
  });

  it('nothing where there is no auth', async () => {
    const { url } = await startHttp((message, response) => answerJson(response, message.headers));
    const answer = await authorize(request(url), deps());
    expect(JSON.parse(answer.body.toString())).not.toHaveProperty('authorization');
  });
});

describe('jwt', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = (key: typeof rsa.privateKey) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const jwt = (more: object = {}): HttpAuth => ({
    type: 'jwt',
    algorithm: 'ES256',
    privateKey: pem(ec.privateKey),
    claims: { iss: 'app', sub: 'svc' },
    lifetimeSeconds: 600,
    ...more,
  });

  it.each(['RS256', 'ES256'] as const)(
    'signs with %s and uses the token until it ends',
    async (algorithm) => {
      const bank = await startBank();
      const pair = algorithm === 'RS256' ? rsa : ec;
      const clock = { nowMs: NOW_MS };
      const tokens = keep();
      const shared = deps(tokens, clock);
      const auth = jwt({ algorithm, privateKey: pem(pair.privateKey), keyId: 'k-1' });
      const sent = async () => tokenOf(await authorize(request(bank.apiUrl, { auth }), shared));
      const first = await sent();
      const publicKey = await importSPKI(
        pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        algorithm,
      );
      const { payload, protectedHeader } = await jwtVerify(first, publicKey, {
        currentDate: new Date(NOW_MS),
      });
      expect(payload).toEqual({
        iss: 'app',
        sub: 'svc',
        jti: 'id-1',
        iat: NOW_MS / 1000,
        exp: NOW_MS / 1000 + 600,
      });
      expect(protectedHeader).toEqual({ alg: algorithm, typ: 'JWT', kid: 'k-1' });
      clock.nowMs += 569_000;
      expect(await sent()).toBe(first);
      clock.nowMs += 1_000;
      expect(await sent()).not.toBe(first);
      expect(tokens.records.size).toBe(0);
    },
  );

  it('is exchanged for an access token where there is a token address', async () => {
    const bank = await startBank();
    const shared = deps();
    const sent = () => authorize(request(bank.apiUrl, { auth: jwt({ tokenUrl: bank.tokenUrl }) }), shared);
    expect((await Promise.all([sent(), sent(), sent()])).map(tokenOf)).toEqual(['t-1', 't-1', 't-1']);
    const [form] = bank.asked;
    expect(form?.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const publicKey = await importSPKI(
      ec.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      'ES256',
    );
    const { payload } = await jwtVerify(form?.get('assertion') ?? '', publicKey, {
      currentDate: new Date(NOW_MS),
    });
    expect(payload.aud).toBe(bank.tokenUrl);
  });

  it.each(['no key', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----'])(
    'refuses a key that is none, without showing it',
    async (privateKey) => {
      const failure = await failureOf(
        authorize(request('http://127.0.0.1:1/', { auth: jwt({ privateKey }) }), deps()),
      );
      expect(failure.code).toBe('PIPE_PARAMS');
      expect(failure.message).toContain('auth_private_key must be a key on the curve P-256');
      expect(failure.message + JSON.stringify(failure.details)).not.toContain('c2VjcmV0');
      expect(failure.cause).toBeUndefined();
    },
  );

  it('refuses an RSA key for ES256', async () => {
    const failure = await failureOf(
      authorize(request('http://127.0.0.1:1/', { auth: jwt({ privateKey: pem(rsa.privateKey) }) }), deps()),
    );
    expect(failure.code).toBe('PIPE_PARAMS');
  });
});
