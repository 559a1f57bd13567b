import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webhookRoutes } from '../../src/http/routes/webhooks.ts';
import { dropOld } from '../../src/storage/retention.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime }) => webhookRoutes(runtime, () => {}));
});
afterAll(() => api.close());

const OWN = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const body = (more: object = {}) => ({ url: 'https://ops.test/hook', events: ['lane.opened'], ...more });
const create = (more: object = {}, headers = {}) => api.call('POST /webhooks', { json: body(more), headers });
const stored = async () => JSON.stringify(await api.runtime.database.query('select * from webhook'));

describe('creating a webhook', () => {
  it('shows its secret once, and keeps it sealed', async () => {
    const made = await create({ secret: OWN });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      url: 'https://ops.test/hook',
      events: ['lane.opened'],
      status: 'active',
      reason: null,
      secret: OWN,
    });
    const shown = await api.call(`GET /webhooks/${textAt(made, 'id')}`);
    expect(at(shown.body, 'secret')).toEqual({ set: true, setAt: '2026-06-01T12:00:00.000Z' });
    expect(rowsOf(await api.call('GET /webhooks'))[0]).toEqual(shown.body);
    const audit = JSON.stringify(await api.runtime.database.query('select * from audit'));
    for (const text of [await stored(), audit, shown.text]) expect(text).not.toContain(OWN);
  });

  it('makes one webhook and one secret for one key, however often it is asked', async () => {
    const headers = { 'idempotency-key': 'make-it-once' };
    const [first, second] = [await create({}, headers), await create({}, headers)];
    expect(second.body).toEqual(first.body);
    expect(at(first.body, 'secret')).toMatch(/^whsec_/);
    const kept = JSON.stringify(await api.runtime.database.query('select answer from idempotency'));
    expect(kept).not.toContain('whsec_');
  });

  it.each([
    ['an address without a scheme', { url: 'ops.test/hook' }, '/url', 'in full'],
    ['an address that is no HTTP', { url: 'ftp://ops.test/' }, '/url', 'https:'],
    ['a password in the address', { url: 'https://me:pass@ops.test/' }, '/url', 'password'],
    ['a type that is not known', { events: ['lane.exploded'] }, '/events/0', 'one of'],
    ['the test event', { events: ['webhook.test'] }, '/events/0', 'one of'],
    ['no type', { events: [] }, '/events', 'fewer'],
    ['a short secret', { secret: 'whsec_c2hvcnQ=' }, '/secret', '24 to 64'],
    ['a secret of another form', { secret: 'a'.repeat(40) }, '/secret', 'whsec_'],
    ['a member that is not known', { evnts: [] }, '/evnts', 'Did you mean "events"?'],
  ])('refuses %s', async (_what, more, pointer, sentence) => {
    const refused = await create(more);
    expect(refused.status).toBe(422);
    expect(pointersOf(refused)).toContain(pointer);
    expect(refused.text).toContain(sentence.replaceAll('"', '\\"'));
  });
});

describe('a webhook', () => {
  it('is changed member by member, and its secret rotates with the one before it', async () => {
    const id = textAt(await create({ secret: OWN }), 'id');
    const changed = await api.call(`PUT /webhooks/${id}`, { json: { events: ['*'] } });
    expect(changed.body).toMatchObject({
      url: 'https://ops.test/hook',
      events: ['*'],
      previousSecretUntil: null,
    });
    const same = await api.call(`PUT /webhooks/${id}`, { json: { secret: OWN } });
    expect(at(same.body, 'previousSecretUntil')).toBeNull();
    const rotated = await api.call(`POST /webhooks/${id}/rotate-secret`);
    expect(at(rotated.body, 'previousSecretUntil')).toBe('2026-06-02T12:00:00.000Z');
    expect(textAt(rotated, 'secret')).not.toBe(OWN);
    const actions = await api.runtime.database.query(
      'select action from audit where subject = $1 order by id',
      [`webhooks/${id}`],
    );
    expect(actions.map((row) => row.action)).toEqual([
      'webhooks.create',
      'webhooks.update',
      'webhooks.update',
      'webhooks.rotate-secret',
    ]);
  });

  it('keeps the secret that its receiver has when a rotation is repeated because its answer was lost', async () => {
    const id = textAt(await create({ secret: OWN }), 'id');
    const { database, vault } = api.runtime;
    const rotate = () =>
      api.call(`POST /webhooks/${id}/rotate-secret`, { headers: { 'idempotency-key': 'rotate once' } });
    await rotate();
    await database.query("update idempotency set status = null, answer = null where key = 'rotate once'");
    const repeated = textAt(await rotate(), 'secret');
    const [row] = await database.query<{ secrets: Record<string, unknown> }>(
      'select secrets from webhook where id = $1',
      [id],
    );
    expect([vault.open(row?.secrets.current), vault.open(row?.secrets.previous)]).toEqual([repeated, OWN]);
  });

  it('drops what waits for it when it is disabled, and its lane when it is deleted', async () => {
    const { database, clock } = api.runtime;
    const made = await create();
    const [id, laneId] = [textAt(made, 'id'), at(made.body, 'laneId') as number];
    const waiting = () => database.query('select id from waiting where lane_id = $1', [laneId]);
    expect((await api.call(`POST /webhooks/${id}/test`)).status).toBe(202);
    expect(await waiting()).toHaveLength(1);
    const disabled = await api.call(`PUT /webhooks/${id}`, { json: { status: 'disabled' } });
    expect(disabled.body).toMatchObject({ status: 'disabled', reason: 'It was disabled by hand.' });
    expect(await waiting()).toHaveLength(0);
    expect((await api.call(`POST /webhooks/${id}/test`)).status).toBe(409);
    expect((await api.call(`PUT /webhooks/${id}`, { json: { status: 'active' } })).body).toMatchObject({
      status: 'active',
      reason: null,
    });
    const lanes = () => database.query('select id from lane where id = $1', [laneId]);
    await dropOld(database, clock.now(), 400);
    expect(await lanes()).toHaveLength(1);
    expect((await api.call(`DELETE /webhooks/${id}`)).status).toBe(204);
    expect((await api.call(`GET /webhooks/${id}`)).status).toBe(404);
    await dropOld(database, clock.now(), 400);
    expect(await lanes()).toHaveLength(0);
  });

  it('is of its account and of its admins', async () => {
    const id = textAt(await create(), 'id');
    const other = await api.tokenOf('admin', await api.otherAccount('others'));
    const editor = await api.tokenOf('editor');
    for (const [method, path, json] of [
      ['GET', `/webhooks/${id}`, undefined],
      ['PUT', `/webhooks/${id}`, { events: ['*'] }],
      ['DELETE', `/webhooks/${id}`, undefined],
      ['POST', `/webhooks/${id}/test`, undefined],
      ['POST', `/webhooks/${id}/rotate-secret`, undefined],
      ['GET', `/webhooks/${id}/deliveries`, undefined],
    ] as const) {
      const with_ = (token: string) => api.call(`${method} ${path}`, { token, ...(json && { json }) });
      expect([method, path, (await with_(other)).status]).toEqual([method, path, 404]);
      expect([method, path, (await with_(editor)).status]).toEqual([method, path, 403]);
    }
    expect(rowsOf(await api.call('GET /webhooks', { token: other }))).toEqual([]);
    expect((await api.call('GET /webhooks/nothing')).status).toBe(404);
  });

  it('left no failure of ours in the log', () => {
    expect(api.errors).toEqual([]);
  });
});
