/** Another account: whatever it asks, nothing of ours is there. Every route is asked; one that is new fails until it is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openapiDocument } from '../../src/reference/openapi-document.ts';
import { addItem } from '../support/content-rows.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { listenerPipeline, messagePipeline, person, smsChannel } from '../support/sms-channel.ts';

/** Every route, as the OpenAPI document says. */
const { paths } = openapiDocument() as unknown as {
  paths: Record<string, Record<string, { requestBody?: { required?: boolean }; security?: unknown[] }>>;
};
const routes = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { requestBody, security }]) => ({
    method: method.toUpperCase(),
    path: path.replace('/api/v1', ''),
    takesBody: requestBody !== undefined,
    isOpen: security?.length === 0,
  })),
);

let corridor: Corridor;
/** As the stranger, an admin. */
let ask: (request: string, json?: unknown) => Promise<{ status: number; body: unknown }>;
/** What the parts of paths stand for: ids of ours. */
const ours: Record<string, string> = {};

beforeAll(async () => {
  corridor = await openCorridor();
  const { api, database, accountId } = corridor;
  const made = async (request: string, json?: unknown) => {
    const { status, body } = await api(request, json);
    if (status >= 300) throw new Error(`${request}: ${JSON.stringify(body)}`);
    return body;
  };
  ours.resources = (await made('POST /resources', { sid: 'our_shop', name: 'Our shop', channels: {} })).id;
  await corridor.addChannel(
    smsChannel('our_sms', messagePipeline(), { pipelines: { listener: listenerPipeline } }),
  );
  await corridor.addSender('our_sms', 'our_sender');
  await corridor.listen('our_sms/1/our_sender', { body: 'not readable' });
  await corridor.idle();
  ours.requests = (await made('GET /listener/requests')).data[0].id;
  ours.messages = await corridor.send('our_sms', { resource: 'our_shop', ...person('our_ann') });
  await corridor.idle();
  for (const list of ['senders', 'subscriptions', 'users', 'tokens', 'lanes']) {
    ours[list] = String((await made(`GET /${list}`)).data[0].id);
  }
  const where = { channel: 'our_sms', resource: 'our_shop' };
  const values = { channel: 'our_sms', values: { text: 'x' } };
  ours.templates = (await made('POST /templates', { sid: 'our_text', name: 'Our text', ...values })).id;
  ours.content = await addItem(database, accountId, { channelType: 'sms_text', content: { body: 'ours' } });
  const connector = { kind: 'postgresql', host: 'ours.example.com', port: 5432, database: 'd', user: 'u' };
  ours.connectors = (
    await made('POST /connectors', {
      ...{ sid: 'our_base', name: 'Our base', ...connector, password: 'secret-password', tls: 'verify' },
    })
  ).id;
  const draft = { ...where, sender: 'our_sender', template: { text: 'x' }, audience: { all: true } };
  ours.mailings = (await made('POST /mailings', { name: 'Our June', ...draft })).id;
  ours.suppressions = (await made('POST /suppressions', { address: 'ours@example.com' })).id;
  const webhook = { url: 'https://ours.example.com/hook', events: ['*'] };
  ours.webhooks = (await made('POST /webhooks', webhook)).id;
  const source = { name: 'Our blog', provider: 'wordpress', channelType: 'sms_text' };
  const config = { url: 'https://ours.example.com' };
  const mappings = { 'title.rendered': 'name', 'content.rendered': 'content.body' };
  ours['content-sources'] = (await made('POST /content-sources', { ...source, config, mappings })).id;
  ours.accounts = accountId;
  await made('PUT /channels/our_sms/sender-rules', {
    rules: [{ name: 'our_rule', senders: [{ sender: 'our_sender' }] }],
  });
  const cap = { category: 'our_category', messages: 1, perHours: 1, onHit: 'drop' };
  await made('PUT /sending-rules', { quietHours: [], caps: [cap] });
  const { token } = await made('POST /accounts', { name: 'stranger' });
  ask = (request, json) => api(request, json, { authorization: `Bearer ${token}` });
}, 60_000);
afterAll(() => corridor.end());

/** Bodies that would do for what is one's own. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /mailings/{id}/test': { profiles: [] },
  'POST /mailings/{id}/trigger': { profile: 'our_ann' },
  'PUT /content-sources/{id}': { name: 'Mine' },
  'PUT /channels/{sid}': smsChannel('our_sms', messagePipeline()),
  'PUT /channels/{sid}/status': { status: 'paused' },
  'POST /channels/{sid}/dry-run': {},
  'POST /channels/{sid}/test': { tests: [{ name: 'any', pipeline: 'message', expect: {} }] },
  'PUT /channels/{sid}/provider-config': {},
  'PUT /channels/{sid}/sender-rules': { rules: [{ name: 'all', senders: [{ sender: 'our_sender' }] }] },
  'POST /channels/{sid}/entities/{entity}/{operation}': {},
  'PUT /senders/{id}': { name: 'Mine' },
  'PUT /resources/{id}': { name: 'Mine' },
  'PUT /templates/{id}': { name: 'Mine' },
  'PUT /content/{id}': { name: 'Mine' },
  'POST /content/{id}/submit': {},
  'POST /content/{id}/approve': {},
  'POST /content/{id}/reject': { feedback: 'No.' },
  'POST /content/{id}/publish': {},
  'POST /content/{id}/revert/{version}': {},
  'POST /content/{id}/preview': { data: {} },
  'PUT /connectors/{id}': { name: 'Mine' },
  'PUT /subscriptions/{id}': { status: 'unsubscribed' },
  'PUT /webhooks/{id}': { status: 'disabled' },
  'PUT /users/{id}': { name: 'Mine', role: 'viewer', status: 'active' },
  'PATCH /users/{id}': { role: 'viewer' },
};

const OTHERS: Readonly<Record<string, string>> = {
  sid: 'our_sms',
  externalId: 'our_ann',
  version: '1',
  a: '1',
  b: '1',
  entity: 'any',
  operation: 'any',
};

describe('a stranger', () => {
  // What is open asks for a signature instead of an account.
  const placed = routes.filter(({ path, isOpen }) => path.includes('{') && !isOpen);
  it.each(placed.map((route) => [`${route.method} ${route.path}`, route] as const))(
    'finds nothing by %s',
    async (name, { method, path, takesBody }) => {
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, part: string) => {
        const value =
          part === 'id'
            ? ours[path.split('/').at(/^\/(reports|listener)/.test(path) ? 2 : 1) ?? '']
            : OTHERS[part];
        if (value === undefined) throw new Error(`This test does not know ${part} of ${path}.`);
        return value;
      });
      if (takesBody && !(name in BODIES)) throw new Error(`This test has no body for ${name}.`);
      const answer = await ask(`${method} ${filled}`, BODIES[name]);
      expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 404 });
    },
  );

  it('sees nothing of ours in lists', async () => {
    const lists = routes.filter((route) => route.method === 'GET' && !route.path.includes('{'));
    expect(lists.length).toBeGreaterThan(15);
    for (const { path, isOpen } of lists) {
      if (isOpen) continue;
      const { status, body } = await ask(`GET ${path}`);
      expect(status, path).toBe(200);
      const text = JSON.stringify(body);
      for (const id of Object.values(ours)) {
        // Lanes are counted up from 1, and so are other things.
        if (id.length > 10) expect(text, path).not.toContain(id);
      }
      expect(text, path).not.toMatch(/our_|ours[.@]|Our |secret-/);
    }
  });

  it('cannot name anything of ours', async () => {
    const mine = async (request: string, json: unknown) => {
      const answer = await ask(request, json);
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
      return answer.body as { id: string };
    };
    await mine('POST /resources', { sid: 'mine', name: 'Mine', channels: {} });
    const refused: [string, object][] = [
      ['POST /messages', { channel: 'our_sms', template: { text: 'x' }, ...person('x') }],
      ['POST /senders', { sid: 'x', name: 'x', channel: 'our_sms', fields: {} }],
      ['POST /templates', { sid: 'x', name: 'x', channel: 'our_sms', values: { text: 'x' } }],
      ['POST /subscriptions', { profile: 'our_ann', resource: 'mine', channel: 'our_sms', fields: {} }],
      ['POST /suppressions', { address: 'a@b.c', channel: 'our_sms' }],
      ['POST /suppressions', { address: 'a@b.c', resource: 'our_shop' }],
      [
        'POST /mailings',
        {
          ...{ name: 'x', channel: 'our_sms', resource: 'mine', template: { text: 'x' } },
          audience: { all: true },
        },
      ],
      [
        'POST /content',
        { name: 'x', channelType: 'sms_text', content: { body: 'x' }, parentTemplateId: ours.content },
      ],
      ['POST /tokens', { name: 'x', role: 'viewer', userId: ours.users }],
      [
        'PUT /sending-rules',
        { quietHours: [], caps: [{ channel: 'our_sms', messages: 1, perHours: 1, onHit: 'drop' }] },
      ],
    ];
    for (const [request, json] of refused) {
      const { status, body } = await ask(request, json);
      expect(status, `${request}: ${JSON.stringify(body)}`).toBeGreaterThanOrEqual(400);
      expect(status, request).toBeLessThan(500);
    }
    expect((await ask('POST /messages/redrive', { ids: [ours.messages] })).body).toEqual({ redriven: 0 });
    for (const filter of ['channel=our_sms', 'sender=our_sender', `mailing=${ours.mailings}`]) {
      expect((await ask(`GET /messages?${filter}`)).body).toMatchObject({ data: [] });
    }
  });
});
