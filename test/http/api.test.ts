/** What holds for every route, tried on senders. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { senderRoutes } from '../../src/http/routes/senders.ts';
import { findEntity } from '../../src/storage/entities.ts';
import { at, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';
import { texts } from '../support/channels.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => senderRoutes(runtime, directory));
  await api.addChannel(texts);
});
afterAll(() => api.close());

const SECRET = 's3cr3t-t0ken';
const body = (sid: string, more: object = {}) => ({
  sid,
  name: 'Main',
  channel: 'acme_sms',
  fields: { token: SECRET },
  ...more,
});
const create = (sid: string) => api.call('POST /senders', { json: body(sid) });

describe('a request', () => {
  it('refuses what is not JSON, by type and by text', async () => {
    const text = JSON.stringify(body('typed'));
    const typed = await api.call('POST /senders', { body: text, headers: { 'content-type': 'text/plain' } });
    expect(typed.status).toBe(415);
    const json = { 'content-type': 'application/json' };
    const broken = await api.call('POST /senders', { body: text.slice(1), headers: json });
    expect(broken.status).toBe(400);
    expect(at(broken.body, 'code')).toBe('REQUEST_MALFORMED');
  });

  it.each(['viewer', 'editor'] as const)('is not for the role %s, which may read', async (role) => {
    const token = await api.tokenOf(role);
    const answer = await api.call('POST /senders', { token, json: body('forbidden') });
    expect(answer.status).toBe(403);
    expect(at(answer.body, 'code')).toBe('FORBIDDEN');
    const list = await api.call('GET /senders', { token });
    expect(list.status).toBe(200);
    expect(list.text).not.toContain(SECRET);
  });

  it('needs a token that is known', async () => {
    const answer = await api.call('GET /senders', { token: 'slw_unknown' });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });
});

describe('an Idempotency-Key', () => {
  const send = (key: string, sid: string) =>
    api.call('POST /senders', { json: body(sid), headers: { 'idempotency-key': key } });

  it('gives a repeat the first answer and makes nothing', async () => {
    const first = await send('key-1', 'once');
    const second = await send('key-1', 'once');
    expect(first.status).toBe(201);
    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotent-replay')).toBe('true');
    expect(first.headers.get('idempotent-replay')).toBeNull();
  });

  it('is refused for another body', async () => {
    await send('key-2', 'other_a');
    const answer = await send('key-2', 'other_b');
    expect(answer.status).toBe(409);
    expect(await findEntity(api.runtime.database, 'sender', api.accountId, 'other_b')).toBeUndefined();
  });

  it('finds what was made where the answer was lost in a crash', async () => {
    const first = await send('key-3', 'crashed');
    await api.runtime.database.query(
      "update idempotency set status = null, answer = null where key = 'key-3'",
    );
    const second = await send('key-3', 'crashed');
    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
    const [count] = await api.runtime.database.query<{ count: number }>(
      'select count(*)::int as count from audit where subject = $1',
      [`senders/${textAt(first, 'id')}`],
    );
    expect(count?.count).toBe(1);
  });

  it('may be used again, corrected, after a refusal', async () => {
    expect((await send('key-4', 'Wrong Sid')).status).toBe(422);
    expect((await send('key-4', 'right_sid')).status).toBe(201);
  });

  it('replays an answer without a body', async () => {
    const id = textAt(await create('goes'), 'id');
    const headers = { 'idempotency-key': 'key-5' };
    expect((await api.call(`DELETE /senders/${id}`, { headers })).status).toBe(204);
    const again = await api.call(`DELETE /senders/${id}`, { headers });
    expect(again.status).toBe(204);
    expect(again.text).toBe('');
  });
});
