import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { channelRoutes } from '../../src/http/routes/channels.ts';
import { providerConfigRoutes } from '../../src/http/routes/provider-config.ts';
import { findChannel } from '../../src/storage/channels.ts';
import { ensureLane, readLanes } from '../../src/storage/lanes.ts';
import { acme } from '../support/acme.ts';
import { at, pointersOf, rowsOf } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';
import { texts } from '../support/channels.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => [
    ...channelRoutes(runtime, directory, () => {}),
    ...providerConfigRoutes(runtime, directory),
  ]);
  await api.addChannel(texts);
  await api.addChannel({ ...texts, sid: 'telegraph', id: 150, kind: 'system', name: 'Telegraph' });
});
afterAll(() => api.close());

const named = (sid: string, more: object = {}) => ({ ...acme, sid, ...more });
const create = (sid: string, more: object = {}) => api.call('POST /channels', { json: named(sid, more) });
interface Document extends Omit<typeof acme, 'events'> {
  readonly id: number;
  readonly events: readonly { readonly sid: string; readonly id: number }[];
}
const documentOf = async (sid: string) =>
  at((await api.call(`GET /channels/${sid}`)).body, 'document') as Document;

describe('creating a channel', () => {
  it('gives it ids, a first version, and makes it active', async () => {
    const answer = await create('fresh');
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      sid: 'fresh',
      version: 1,
      name: 'Acme lists',
      status: 'active',
      changed: true,
    });
    expect(at(answer.body, 'id')).toBeGreaterThanOrEqual(10_000);
    const shown = await api.call('GET /channels/fresh');
    expect(shown.body).toMatchObject({ kind: 'custom', version: 1, status: 'active', shared: false });
    expect((await documentOf('fresh')).events.map((event) => event.id)).toEqual([100_000, 100_001]);
  });

  it('answers every mistake at once, with its place in the request', async () => {
    const { name: _name, ...rest } = named('broken', { communication: 'sideways' });
    const body = `{\n  "sid": "broken",\n${JSON.stringify({ ...rest, fields: { ...acme.fields, template: [] } }).slice(1)}`;
    const answer = await api.call('POST /channels', {
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(422);
    expect(at(answer.body, 'code')).toBe('DOCUMENT_INVALID');
    const problems = at(answer.body, 'problems') as Record<string, unknown>[];
    expect(problems.length).toBeGreaterThanOrEqual(3);
    expect(problems).toContainEqual(
      expect.objectContaining({ pointer: '/communication', code: 'wrong-value', line: 3 }),
    );
    expect(problems).toContainEqual(expect.objectContaining({ code: 'member-missing', severity: 'error' }));
    for (const problem of problems) {
      expect(problem).toMatchObject({
        message: expect.any(String),
        line: expect.any(Number),
        column: expect.any(Number),
      });
    }
    expect((await api.call('GET /channels/broken')).status).toBe(404);
  });

  it('takes the pipelines of another channel by name', async () => {
    await create('origin_of_pipes');
    const answer = await create('borrower', { pipelines: { message: 'origin_of_pipes/message' } });
    expect(answer.status).toBe(201);
    expect((await documentOf('borrower')).pipelines).toEqual((await documentOf('origin_of_pipes')).pipelines);
    const unknown = await create('lost', { pipelines: { message: 'nobody/message' } });
    expect(unknown.status).toBe(422);
    expect(pointersOf(unknown)).toContain('/pipelines/message');
  });

  it('refuses a sid that is taken, and gives one that was deleted to nobody', async () => {
    await create('twice');
    expect((await create('twice')).body).toMatchObject({ status: 409, code: 'CONFLICT' });
    expect((await api.call('DELETE /channels/twice')).status).toBe(204);
    const again = await create('twice');
    expect(again.status).toBe(422);
    expect(at(again.body, 'problems.0.code')).toBe('sid-taken');
  });

  it('is for admins', async () => {
    const editor = await api.tokenOf('editor');
    const answer = await api.call('POST /channels', { token: editor, json: named('by_editor') });
    expect(answer.body).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });
});

describe('changing a channel', () => {
  it('makes a new version, and none where nothing changed', async () => {
    await create('changing');
    const changed = await api.call('PUT /channels/changing', {
      json: named('changing', { name: 'Renamed' }),
    });
    expect(changed.body).toMatchObject({ version: 2, name: 'Renamed', changed: true });
    const same = await api.call('PUT /channels/changing', { json: await documentOf('changing') });
    expect(same.status).toBe(200);
    expect(same.body).toMatchObject({ version: 2, changed: false });
  });

  it('never changes a sid or an id', async () => {
    await create('fixed');
    const document = await documentOf('fixed');
    const put = (json: object) => api.call('PUT /channels/fixed', { json });
    const events = document.events.map((event) => ({ ...event, id: event.id + 50 }));
    for (const json of [
      { ...document, sid: 'loose' },
      { ...document, id: document.id + 500 },
      { ...document, events },
    ]) {
      expect((await put(json)).body).toMatchObject({ status: 409, code: 'IMMUTABLE' });
    }
    expect(at((await api.call('GET /channels/fixed')).body, 'version')).toBe(1);
  });

  it('refuses channels that come with the product, and those of a folder', async () => {
    for (const sid of ['telegraph', 'acme_sms']) {
      const calls = [
        api.call(`PUT /channels/${sid}`, { json: named(sid) }),
        api.call(`DELETE /channels/${sid}`),
        api.call(`PUT /channels/${sid}/status`, { json: { status: 'archived' } }),
        create(sid),
      ];
      for (const answer of await Promise.all(calls)) {
        expect(answer.body).toMatchObject({ status: 403, code: 'CHANNEL_READ_ONLY' });
      }
    }
  });

  it('shows channels of another account to nobody else', async () => {
    await create('private');
    const token = await api.tokenOf('admin', await api.otherAccount('others'));
    expect((await api.call('GET /channels/private', { token })).status).toBe(404);
    expect((await api.call('PUT /channels/private', { token, json: named('private') })).status).toBe(404);
    expect((await api.call('DELETE /channels/private', { token })).status).toBe(404);
    const seen = rowsOf(await api.call('GET /channels?limit=100', { token })).map((row) => row.sid);
    expect(seen).toEqual(['telegraph', 'acme_sms']);
  });
});

describe('the list of channels', () => {
  it('has all kinds, page by page', async () => {
    const sids: unknown[] = [];
    let cursor: unknown = '';
    while (cursor !== null) {
      const page: Awaited<ReturnType<Api['call']>> = await api.call(
        `GET /channels?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      sids.push(...rowsOf(page).map((row) => row.sid));
      cursor = at(page.body, 'pagination.nextCursor');
    }
    expect(sids).toEqual([...new Set(sids)]);
    expect(sids).toEqual(expect.arrayContaining(['telegraph', 'acme_sms', 'fresh']));
    expect((await api.call('GET /channels?cursor=x')).status).toBe(422);
  });
});

describe('the status of a channel', () => {
  it('pauses what goes out of it, and lets in what comes', async () => {
    await create('pausing');
    const { id } = await documentOf('pausing');
    const database = api.runtime.database;
    const nowMs = api.runtime.clock.now();
    for (const direction of ['out', 'in']) {
      await ensureLane(database, {
        key: `${id}/-/-/-/${direction}`,
        accountId: null,
        channelId: id,
        senderId: null,
        nowMs,
      });
    }
    const paused = async () =>
      Object.fromEntries(
        (await readLanes(database))
          .filter((lane) => lane.channel_id === id)
          .map((lane) => [lane.key.split('/').at(-1), lane.paused_at !== null]),
      );
    expect(await paused()).toEqual({ out: false, in: false });
    const answer = await api.call('PUT /channels/pausing/status', { json: { status: 'paused' } });
    expect(answer.body).toMatchObject({ sid: 'pausing', status: 'paused' });
    expect(await paused()).toEqual({ out: true, in: false });
    await api.call('PUT /channels/pausing/status', { json: { status: 'active' } });
    expect(await paused()).toEqual({ out: false, in: false });
    expect((await api.call('PUT /channels/pausing/status', { json: { status: 'asleep' } })).status).toBe(422);
  });
});

describe('deleting a channel', () => {
  it('waits until nothing waits in it', async () => {
    await create('busy');
    const { database } = api.runtime;
    const row = await findChannel(database, 'busy');
    const waiting = api.runtime.ids.next();
    await database.query(
      'insert into waiting (id, lane_id, due_at, pipeline, channel_version_id) values ($1, 1, $2, 1, $3)',
      [waiting, new Date(api.runtime.clock.now()), row?.version_id ?? 0],
    );
    expect((await api.call('DELETE /channels/busy')).body).toMatchObject({
      status: 409,
      code: 'WRONG_STATE',
    });
    await database.query('delete from waiting where id = $1', [waiting]);
    expect((await api.call('DELETE /channels/busy')).status).toBe(204);
    expect((await api.call('GET /channels/busy')).status).toBe(404);
    const audit = await database.query<{ action: string }>(
      "select action from audit where subject = 'channels/busy'",
    );
    expect(audit.map((each) => each.action)).toEqual(['channels.create', 'channels.delete']);
  });
});

describe('provider settings', () => {
  it('never show a secret, and keep one that is left out', async () => {
    await create('with_config');
    const path = '/channels/with_config/provider-config';
    const set = await api.call(`PUT ${path}`, { json: { project: 'p1', key: 'hush-hush' } });
    expect(set.body).toEqual({ project: 'p1', key: { set: true, setAt: '2026-06-01T12:00:00.000Z' } });
    await api.call(`PUT ${path}`, { json: { project: 'p2' } });
    const shown = await api.call(`GET ${path}`);
    expect(shown.body).toMatchObject({ project: 'p2', key: { set: true } });
    const { id } = await documentOf('with_config');
    expect((await api.directory.account(api.accountId, id)).values).toMatchObject({
      project: 'p2',
      key: 'hush-hush',
    });
    const kept = await api.runtime.database.query('select fields::text from provider_config');
    const audit = await api.runtime.database.query('select * from audit');
    expect(JSON.stringify([kept, audit, shown.text])).not.toContain('hush-hush');
  });

  it('must fit the account fields', async () => {
    const answer = await api.call('PUT /channels/with_config/provider-config', { json: { projet: 'p' } });
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toEqual(['/project', '/projet']);
  });
});
