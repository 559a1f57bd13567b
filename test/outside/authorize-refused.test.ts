import { describe, expect, it } from 'vitest';
import { type AuthorizeDeps, authorize } from '../../src/outside/authorize.ts';
import { deps, keep, NOW_MS, oauth2, startBank, useClient } from './bank.ts';
import { answerJson, failureOf, freePort, request, startHttp } from './provider.ts';

useClient();

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
    const real = deps(keep(), clock);
    const slow: AuthorizeDeps = {
      ...real,
      send: async (sent) => {
        if (sent.url === bank.tokenUrl) clock.nowMs += 4_000;
        else expect(sent.timeoutMs).toBe(1_000);
        return real.send(sent);
      },
    };
    const sent = (timeoutMs: number, scope: string) =>
      authorize(request(bank.apiUrl, { timeoutMs, auth: oauth2(bank.tokenUrl, { scope }) }), slow);
    expect((await sent(5_000, 'a')).status).toBe(200);
    const failure = await failureOf(sent(4_000, 'b'));
    expect(failure).toMatchObject({ code: 'HTTP_TIMEOUT', details: { ambiguous: false } });
  });
});
