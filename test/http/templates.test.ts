import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { templateRoutes } from '../../src/http/routes/templates.ts';
import { findEntity } from '../../src/storage/entities.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';
import { texts, wall } from '../support/channels.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => templateRoutes(runtime, directory));
  await api.addChannel(texts);
  await api.addChannel(wall);
});
afterAll(() => api.close());

const create = (sid: string, text: unknown, channel = 'acme_sms', more: object = {}) =>
  api.call('POST /templates', { json: { sid, name: 'Hello', channel, values: { text }, ...more } });

describe('templates', () => {
  it('count their version up with each change', async () => {
    const made = await create('hello', 'Hi {{ customer.name }}');
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      channel: 'acme_sms',
      version: 1,
      values: { text: 'Hi {{ customer.name }}' },
    });
    const path = `/templates/${textAt(made, 'id')}`;
    const changes = [{ values: { text: 'Hey' } }, { name: 'Renamed' }, { name: 'Again' }];
    const answers = await Promise.all(changes.map((json) => api.call(`PUT ${path}`, { json })));
    expect(answers.map((answer) => at(answer.body, 'version')).sort()).toEqual([2, 3, 4]);
    expect((await api.call(`GET ${path}`)).body).toMatchObject({ version: 4, values: { text: 'Hey' } });
  });

  it('are not held to lengths while Liquid is in them, and are otherwise', async () => {
    expect((await create('liquid', `{{ customer.name }}${'x'.repeat(30)}`)).status).toBe(201);
    const plain = await create('plain', 'x'.repeat(30));
    expect(plain.status).toBe(422);
    expect(pointersOf(plain)).toEqual(['/values/text']);
  });

  it('refuse personal data in an indirect channel, when made and when changed', async () => {
    const answer = await create('wall', 'Hi {{ customer.name }}', 'acme_wall');
    expect(answer.status).toBe(422);
    expect(at(answer.body, 'code')).toBe('PERSONAL_DATA_REFUSED');
    expect(pointersOf(answer)).toEqual(['/values/text']);
    const made = await create('wall', 'News of {{ resource.name }}', 'acme_wall');
    expect(made.status).toBe(201);
    const changed = await api.call(`PUT /templates/${textAt(made, 'id')}`, {
      json: { values: { text: '{{ subscription.phone }}' } },
    });
    expect(at(changed.body, 'code')).toBe('PERSONAL_DATA_REFUSED');
    expect((await api.call(`GET /templates/${textAt(made, 'id')}`)).body).toMatchObject({ version: 1 });
  });

  it.each([
    ['Liquid that is not closed', { values: { text: '{% if x %}' } }, 'LIQUID_SYNTAX', '/values/text'],
    ['a value that is missing', { values: {} }, 'VALUES_INVALID', '/values/text'],
    ['a field that is not known', { values: { text: 'a', txet: 'b' } }, 'VALUES_INVALID', '/values/txet'],
    ['a channel that is not there', { channel: 'acme' }, 'REQUEST_INVALID', '/channel'],
    ['a request without values', { values: undefined }, 'REQUEST_INVALID', '/values'],
    ['NUL', { values: { text: 'a\0' } }, 'REQUEST_INVALID', '/values/text'],
  ])('refuse %s', async (_what, more, code, pointer) => {
    const answer = await create('refused', 'Hi', 'acme_sms', more);
    expect(answer.status).toBe(422);
    expect(at(answer.body, 'code')).toBe(code);
    expect(pointersOf(answer)).toEqual([pointer]);
  });

  it('have sids of their own in each channel, which never change', async () => {
    expect((await create('same', 'a')).status).toBe(201);
    expect((await create('same', 'a')).status).toBe(409);
    expect((await create('same', 'a', 'acme_wall')).status).toBe(201);
    const row = await findEntity(api.runtime.database, 'template', api.accountId, 'same', texts.id);
    const answer = await api.call(`PUT /templates/${row?.id}`, { json: { channel: 'acme_wall' } });
    expect(at(answer.body, 'code')).toBe('IMMUTABLE');
    expect(rowsOf(await api.call('GET /templates?channel=acme_wall')).map((each) => each.sid)).toEqual([
      'same',
      'wall',
    ]);
  });

  it('are written by editors, not by viewers, and not across accounts', async () => {
    const json = { sid: 'edited', name: 'E', channel: 'acme_sms', values: { text: 'a' } };
    const editor = await api.tokenOf('editor');
    expect((await api.call('POST /templates', { token: await api.tokenOf('viewer'), json })).status).toBe(
      403,
    );
    const made = await api.call('POST /templates', { token: editor, json });
    expect(made.status).toBe(201);
    const stranger = await api.tokenOf('admin', await api.otherAccount('stranger'));
    expect((await api.call(`DELETE /templates/${textAt(made, 'id')}`, { token: stranger })).status).toBe(404);
    expect((await api.call(`DELETE /templates/${textAt(made, 'id')}`, { token: editor })).status).toBe(204);
    expect(api.errors).toEqual([]);
  });
});
