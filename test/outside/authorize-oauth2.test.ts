import { describe, expect, it } from 'vitest';
import { authorize, type TokenCache } from '../../src/outside/authorize.ts';
import { deps, keep, NOW_MS, oauth2, startBank, tokenOf, useClient } from './bank.ts';
import { request } from './provider.ts';

useClient();

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
