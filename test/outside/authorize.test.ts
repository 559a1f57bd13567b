import { createHmac, generateKeyPairSync } from 'node:crypto';
import { importSPKI, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { type AuthorizeDeps, authorize, type TokenCache } from '../../src/outside/authorize.ts';
import { createHttpClient, type HttpClient } from '../../src/outside/http-client.ts';
import type { HttpAuth, HttpRequest } from '../../src/pipes/contract.ts';
import { answerJson, bodyOf, closeProviders, failureOf, freePort, request, startHttp } from './provider.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
let http: HttpClient;

beforeEach(() => {
  http = createHttpClient({ guard: createAddressGuard(['127.0.0.1']), defaultConnections: 64 });
});

afterEach(async () => {
  await http.close();
  await closeProviders();
});

interface Kept extends TokenCache {
  readonly records: Map<string, { token: string; expiresAtMs: number }>;
}

function keep(): Kept {
  const records = new Map<string, { token: string; expiresAtMs: number }>();
  return {
    records,
    get: async (key) => records.get(key),
    set: async (key, token, expiresAtMs) => void records.set(key, { token, expiresAtMs }),
  };
}

function deps(tokens: TokenCache = keep(), clock = { nowMs: NOW_MS }): AuthorizeDeps {
  return { send: (sent) => http.send(sent, 'lane'), tokens, now: () => clock.nowMs, randomId: () => 'id-1' };
}

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

interface Bank {
  readonly tokenUrl: string;
  readonly apiUrl: string;
  readonly asked: URLSearchParams[];
  readonly askedHeaders: Record<string, unknown>[];
  /** Tokens the interface answers 200 to; all, where undefined. */
  accepted: Set<string> | undefined;
  lifetime: unknown;
  calls: number;
}

/** A token endpoint that counts, and an interface that wants its tokens. */
async function startBank(): Promise<Bank> {
  const bank: Bank = {
    tokenUrl: '',
    apiUrl: '',
    asked: [],
    askedHeaders: [],
    accepted: undefined,
    lifetime: 3600,
    calls: 0,
  };
  const { url } = await startHttp(async (message, response) => {
    const body = await bodyOf(message);
    if (message.url === '/token') {
      bank.asked.push(new URLSearchParams(body));
      bank.askedHeaders.push(message.headers);
      const refresh = new URLSearchParams(body).get('refresh_token');
      answerJson(response, {
        access_token: `t-${bank.asked.length}`,
        token_type: 'bearer',
        expires_in: bank.lifetime,
        ...(refresh !== null && { refresh_token: `${refresh}+` }),
      });
      return;
    }
    bank.calls += 1;
    const token = message.headers.authorization?.replace('Bearer ', '') ?? '';
    answerJson(
      response,
      { token, body },
      bank.accepted === undefined || bank.accepted.has(token) ? 200 : 401,
    );
  });
  return Object.assign(bank, { tokenUrl: `${url}/token`, apiUrl: `${url}/api` });
}

const oauth2 = (tokenUrl: string, more: object = {}): HttpAuth => ({
  type: 'oauth2',
  tokenUrl,
  clientId: 'cl:ient',
  clientSecret: 'se cret',
  clientAuth: 'body',
  ...more,
});

const tokenOf = (answer: { body: Buffer }) => JSON.parse(answer.body.toString()).token;

describe('oauth2', () => {
  it('gets a token once for 50 who come together, and for all who come later', async () => {
    const bank = await startBank();
    const shared = deps();
    const sent = () =>
      authorize(
        request(bank.apiUrl, { auth: oauth2(bank.tokenUrl, { scope: 'send', extra: { audience: 'x' } }) }),
        shared,
      );
    const answers = await Promise.all(Array.from({ length: 50 }, sent));
    answers.push(await sent());
    expect(answers.map(tokenOf)).toEqual(Array(51).fill('t-1'));
    expect(bank.asked.map((form) => Object.fromEntries(form))).toEqual([
      {
        grant_type: 'client_credentials',
        scope: 'send',
        audience: 'x',
        client_id: 'cl:ient',
        client_secret: 'se cret',
      },
    ]);
  });

  it('shows the client by basic where asked, form-encoded first', async () => {
    const bank = await startBank();
    await authorize(request(bank.apiUrl, { auth: oauth2(bank.tokenUrl, { clientAuth: 'basic' }) }), deps());
    expect(bank.askedHeaders[0]?.authorization).toBe(
      `Basic ${Buffer.from('cl%3Aient:se+cret').toString('base64')}`,
    );
    expect(bank.asked[0]?.has('client_secret')).toBe(false);
  });

  it('shares tokens between processes, under keys that hold no credentials', async () => {
    const bank = await startBank();
    const tokens = keep();
    const sent = (cache: TokenCache) =>
      authorize(request(bank.apiUrl, { auth: oauth2(bank.tokenUrl) }), deps(cache));
    await sent(tokens);
    // Another object with the same records is what another process sees.
    expect(tokenOf(await sent({ ...tokens }))).toBe('t-1');
    expect(bank.asked).toHaveLength(1);
    expect([...tokens.records.values()]).toEqual([{ token: 't-1', expiresAtMs: NOW_MS + 3_600_000 }]);
    for (const key of tokens.records.keys()) expect(key).toMatch(/^oauth2:[0-9a-f]{64}$/);
  });

  it('keeps apart whatever differs in its credentials', async () => {
    const bank = await startBank();
    const shared = deps();
    for (const more of [{}, { clientSecret: 'other' }, { scope: 'read' }, {}]) {
      await authorize(request(bank.apiUrl, { auth: oauth2(bank.tokenUrl, more) }), shared);
    }
    expect(bank.asked).toHaveLength(3);
  });

  it('renews 30 s before the end, and after 5 minutes where the end is not told', async () => {
    const bank = await startBank();
    const clock = { nowMs: NOW_MS };
    const shared = deps(keep(), clock);
    const tokenAfter = async (ms: number) => {
      clock.nowMs = NOW_MS + ms;
      return tokenOf(await authorize(request(bank.apiUrl, { auth: oauth2(bank.tokenUrl) }), shared));
    };
    expect(await tokenAfter(0)).toBe('t-1');
    expect(await tokenAfter(3_569_999)).toBe('t-1');
    bank.lifetime = undefined;
    expect(await tokenAfter(3_570_000)).toBe('t-2');
    expect(await tokenAfter(3_570_000 + 269_999)).toBe('t-2');
    expect(await tokenAfter(3_570_000 + 270_000)).toBe('t-3');
  });

  it('answers 50 refusals that come together with one new token, and sends each request again with its body', async () => {
    const bank = await startBank();
    const shared = deps();
    const sent = () =>
      authorize(
        request(bank.apiUrl, { method: 'POST', body: Buffer.from('b'), auth: oauth2(bank.tokenUrl) }),
        shared,
      );
    await sent();
    bank.accepted = new Set(['t-2']);
    const answers = await Promise.all(Array.from({ length: 50 }, sent));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(answers.map(({ body }) => JSON.parse(body.toString()))).toEqual(
      Array(50).fill({ token: 't-2', body: 'b' }),
    );
    expect(bank.asked).toHaveLength(2);
  });

  it('tries exactly once more', async () => {
    const bank = await startBank();
    bank.accepted = new Set();
    expect((await authorize(request(bank.apiUrl, { auth: oauth2(bank.tokenUrl) }), deps())).status).toBe(401);
    expect(bank.calls).toBe(2);
    expect(bank.asked).toHaveLength(2);
  });

  it('takes the token another process renewed instead of asking again', async () => {
    const bank = await startBank();
    const tokens = keep();
    const sent = () => authorize(request(bank.apiUrl, { auth: oauth2(bank.tokenUrl) }), shared);
    const shared = deps(tokens);
    await sent();
    const [key = ''] = tokens.records.keys();
    tokens.records.set(key, { token: 'theirs', expiresAtMs: NOW_MS + 3_600_000 });
    bank.accepted = new Set(['theirs']);
    expect(tokenOf(await sent())).toBe('theirs');
    expect(bank.asked).toHaveLength(1);
  });

  it('uses the refresh grant, and from then on the refresh token that came with the answer', async () => {
    const bank = await startBank();
    const clock = { nowMs: NOW_MS };
    const tokens = keep();
    const sent = (cache: TokenCache) =>
      authorize(
        request(bank.apiUrl, { auth: oauth2(bank.tokenUrl, { refreshToken: 'r' }) }),
        deps(cache, clock),
      );
    await sent(tokens);
    clock.nowMs += 3_600_000;
    await sent({ ...tokens });
    expect(bank.asked.map((form) => [form.get('grant_type'), form.get('refresh_token')])).toEqual([
      ['refresh_token', 'r'],
      ['refresh_token', 'r+'],
    ]);
  });
});

describe('a token endpoint that gives no token', () => {
  const failing = async (status: number, answer: unknown, headers: Record<string, string> = {}) => {
    const { url } = await startHttp((message, response) => {
      message.resume();
      response.writeHead(status, headers).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
    return failureOf(authorize(request('http://127.0.0.1:1/api', { auth: oauth2(url) }), deps()));
  };

  it('refuses: a failure of the client, with its reason and without the secret', async () => {
    const failure = await failing(401, {
      error: 'invalid_client',
      error_description: 'no such secret: se cret',
    });
    expect(failure).toMatchObject({ code: 'AUTH_FAILED', details: { kind: 'client', statusCode: 401 } });
    expect(failure.message).toContain('status 401 (invalid_client: no such secret: ***)');
    expect(JSON.stringify(failure.details)).not.toContain('se cret');
  });

  it.each([
    [500, 'oops', {}, { kind: 'server', statusCode: 500 }],
    [429, '', { 'retry-after': '7' }, { kind: 'rate_limited', statusCode: 429, retryAfterMs: 7000 }],
    [200, { token: 'wrong name' }, {}, { kind: 'server', statusCode: 200 }],
    [200, 'access_token=x', {}, { kind: 'server' }],
  ])('status %i with %j', async (status, answer, headers, details) => {
    expect(await failing(status, answer, headers)).toMatchObject({ code: 'AUTH_FAILED', details });
  });

  it('cannot be reached, or hangs: weather, and never a doubt about the request itself', async () => {
    const refused = oauth2(`http://127.0.0.1:${await freePort()}/`);
    expect(
      await failureOf(authorize(request('http://127.0.0.1:1/', { auth: refused }), deps())),
    ).toMatchObject({
      code: 'HTTP_NETWORK',
      details: { kind: 'network', ambiguous: false },
    });
    const { url } = await startHttp(() => {});
    expect(
      await failureOf(
        authorize(request('http://127.0.0.1:1/', { timeoutMs: 30, auth: oauth2(url) }), deps()),
      ),
    ).toMatchObject({
      code: 'HTTP_TIMEOUT',
      details: { kind: 'timeout', ambiguous: false },
    });
  });

  it('is asked again by the next who comes', async () => {
    let asked = 0;
    const { url } = await startHttp((message, response) => {
      message.resume();
      asked += 1;
      answerJson(response, { access_token: 't' }, asked === 1 ? 503 : 200);
    });
    const shared = deps();
    const sent = () => authorize(request(url, { auth: oauth2(url) }), shared);
    const first = await Promise.allSettled([sent(), sent()]);
    expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await sent()).status).toBe(200);
    expect(asked).toBe(3);
  });

  it('uses up the time of the request', async () => {
    const bank = await startBank();
    const clock = { nowMs: NOW_MS };
    const slow: AuthorizeDeps = {
      ...deps(keep(), clock),
      send: async (sent) => {
        if (sent.url === bank.tokenUrl) clock.nowMs += 4_000;
        else expect(sent.timeoutMs).toBe(1_000);
        return http.send(sent, 'lane');
      },
    };
    const sent = (timeoutMs: number, scope: string) =>
      authorize(request(bank.apiUrl, { timeoutMs, auth: oauth2(bank.tokenUrl, { scope }) }), slow);
    expect((await sent(5_000, 'a')).status).toBe(200);
    const failure = await failureOf(sent(4_000, 'b'));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: 'HTTP_TIMEOUT', details: { ambiguous: false } });
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
