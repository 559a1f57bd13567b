/** Secrets that callers give and are given: none of them is in the database, in the log or in a later answer. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { messagePipeline, smsChannel } from '../support/sms-channel.ts';

let corridor: Corridor;
beforeAll(async () => {
  corridor = await openCorridor();
});
afterAll(() => corridor.end());

it('stay secret, also under an Idempotency-Key, whose repeats give the same answer', async () => {
  const { api } = corridor;
  const secrets = new Set<string>();
  let keys = 0;
  /** Twice, as a caller does that got no answer. */
  const twice = async (request: string, json: object, headers: Record<string, string> = {}) => {
    keys += 1;
    const key = { 'idempotency-key': `key ${keys}`, ...headers };
    const [first, second] = [await api(request, json, key), await api(request, json, key)];
    expect(first.status, JSON.stringify(first.body)).toBeLessThan(300);
    expect(second).toEqual(first);
    return first.body;
  };
  const keep = (secret: string) => {
    secrets.add(secret);
    return secret;
  };
  await corridor.addChannel(smsChannel('kept', messagePipeline()));
  const webhookSecret = keep(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);
  const hook = { url: 'https://ops.example.com/hook', events: ['*'] };
  const webhook = await twice('POST /webhooks', { ...hook, secret: webhookSecret });
  keep((await twice('POST /webhooks', hook)).secret);
  keep((await twice(`POST /webhooks/${webhook.id}/rotate-secret`, {})).secret);
  const changed = keep(`whsec_${Buffer.alloc(32, 8).toString('base64')}`);
  await twice(`PUT /webhooks/${webhook.id}`, { secret: changed });
  const [password, second, third] = ['one', 'two', 'three'].map((each) => keep(`correct horse ${each}`));
  const user = await twice('POST /users', { email: 'a@example.com', name: 'A', role: 'admin', password });
  await twice(`PUT /users/${user.id}`, { password: second });
  const session = await api('POST /sessions', { email: 'a@example.com', password: second });
  expect(session.status).toBe(201);
  const authorization = `Bearer ${keep(session.body.token)}`;
  await twice('POST /me/password', { current: second, password: third }, { authorization });
  keep((await twice('POST /tokens', { name: 'x', role: 'viewer' })).token);
  keep((await twice('POST /accounts', { name: 'another' })).token);
  const base = { kind: 'postgresql', host: 'db.example.com', port: 5432, database: 'd', user: 'u' };
  const connectorPassword = keep('a password of a connector');
  await twice('POST /connectors', {
    ...{ sid: 'base', name: 'Base', ...base, tls: 'verify', password: connectorPassword },
  });
  const fields = { token: keep('a-token-of-a-sender'), base_url: 'https://kept.example.com' };
  await twice('POST /senders', { sid: 'main', name: 'Main', channel: 'kept', fields });
  await api('POST /sessions', { email: 'a@example.com', password: keep('a wrong password') });

  const shown = [await corridor.dump(), corridor.logged()];
  for (const list of [
    'audit',
    'webhooks',
    'users',
    'tokens',
    'senders',
    'connectors',
    'operator-events',
    'me',
  ]) {
    const { status, body } = await api(`GET /${list}`);
    expect(status, list).toBe(200);
    shown.push(JSON.stringify(body));
  }
  const text = shown.join('\n');
  expect(secrets.size).toBeGreaterThan(12);
  for (const secret of secrets) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(secret.replace('whsec_', ''));
  }
});
