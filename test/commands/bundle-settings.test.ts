/** What bundles hold beside channels and their members: connectors, settings of channels, rules, webhooks; against running engines. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine, TOKEN } from '../support/engine.ts';
import { failureOfCommand, type Ran, runCommand } from './run.ts';

const SIGNING = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const SECRETS = {
  ACME_TOKEN: 'very-secret-token',
  ACME_KEY: 'very-secret-key',
  CRM_PASSWORD: 'very-secret-password',
  CRM_HOST: 'db.example',
  OPS_SECRET: SIGNING,
  OPS_URL: 'https://ops.example/hook',
};
const HIDDEN = [SECRETS.ACME_TOKEN, SECRETS.ACME_KEY, SECRETS.CRM_PASSWORD, SIGNING];

let folder: string;
let channels: string;
let engine: Engine;

const start = (name: string) => startEngine({ SLUICEWAY_DATA: join(folder, name), SLUICEWAY_CHANNELS: '' });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-settings-'));
  channels = join(folder, 'channels');
  await runCommand(['init', 'acme_texts', '--folder', channels]);
  const file = join(channels, 'acme_texts', 'channel.json');
  const document = JSON.parse(await readFile(file, 'utf8'));
  document.fields.account = [
    { field: 'region', type: 'string', name: 'Region', required: true },
    { field: 'key', type: 'string', name: 'Key', required: true, secret: true },
  ];
  await writeFile(file, JSON.stringify(document));
  engine = await start('first');
});

afterAll(async () => {
  await engine?.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

const reference = (name: string) => ({ $ref: `env:${name}` });

const sender = (sid: string) => ({
  sid,
  name: sid,
  channel: 'acme_texts',
  fields: {
    base_url: 'https://api.acme.example',
    token: reference('ACME_TOKEN'),
    webhook_token: reference('ACME_TOKEN'),
  },
});

const rule = {
  name: 'Germany',
  when: { 'profile.country': 'DE' },
  senders: [{ sender: 'main', weight: 2 }, { sender: 'other' }],
  fallback: ['other'],
  fallbackOn: ['weather', 503],
};
const cap = { messages: 3, perHours: 24, onHit: 'hold' };
const quiet = { channel: 'acme_texts', from: '22:00', to: '07:00', timeZone: 'Europe/Berlin', onHit: 'hold' };

const connector = {
  sid: 'crm',
  name: 'CRM',
  kind: 'postgresql',
  host: reference('CRM_HOST'),
  database: 'crm',
  user: 'reader',
  password: reference('CRM_PASSWORD'),
};
const webhook = {
  url: reference('OPS_URL'),
  events: ['lane.opened', 'lane.closed'],
  secret: reference('OPS_SECRET'),
};

/** Members in an order in which none could be made. */
const bundle = () => ({
  sluiceway: 1,
  webhooks: [webhook],
  sendingRules: { quietHours: [quiet], caps: [cap] },
  senderRules: [{ channel: 'acme_texts', rules: [rule, { name: 'Rest', senders: [{ sender: 'main' }] }] }],
  providerConfigs: [{ channel: 'acme_texts', fields: { region: 'eu', key: reference('ACME_KEY') } }],
  connectors: [connector],
  senders: [sender('main'), sender('other')],
});

const writeBundle = (value: unknown) => writeFile(join(channels, 'bundle.json'), JSON.stringify(value));

const environment = { SLUICEWAY_TOKEN: TOKEN, ...SECRETS };
const run = async (args: readonly string[], more: Record<string, string> = {}): Promise<Ran> => {
  const ran = await runCommand([...args, '--url', engine.url], { ...environment, ...more });
  for (const secret of HIDDEN) expect(ran.output).not.toContain(secret);
  return ran;
};
const failure = async (args: readonly string[], more: Record<string, string> = {}): Promise<string> => {
  const message = await failureOfCommand([...args, '--url', engine.url], { ...environment, ...more });
  for (const secret of HIDDEN) expect(message).not.toContain(secret);
  return message;
};

describe('rules and settings of a bundle', () => {
  it('are checked before anything is changed, and no secret is shown', async () => {
    const whole = bundle();
    await writeBundle({
      ...whole,
      webhooks: [
        { ...webhook, secret: SIGNING },
        { url: 'https://ann:pass-w0rd@ops.example', events: ['*'], secret: reference('OPS_SECRET') },
        { url: 'https://two.example', events: ['*'] },
        { url: 'https://three.example', events: ['*'], secret: reference('ACME_KEY') },
      ],
      sendingRules: { quietHours: [{ ...quiet, timeZone: 'Mars' }], caps: [{ ...cap, channel: 'acme' }] },
      senderRules: [
        { channel: 'acme_texts', rules: [{ ...rule, when: { clas: 'urgent' }, fallback: ['othr'] }] },
        { channel: 'acme_text', rules: [rule] },
      ],
      providerConfigs: [{ channel: 'acme_texts', fields: { key: SECRETS.ACME_KEY, colour: 'red' } }],
      connectors: [{ ...connector, password: SECRETS.CRM_PASSWORD }],
    });
    const message = await failure(['apply', channels], { CRM_HOST: 'no host' });
    for (const line of [
      'Connector crm at /host: Does not have the right form',
      'Connector crm: "password" is a secret, so it stands as a reference',
      'Provider config acme_texts: "key" is a secret, so it stands as a reference',
      'Provider config acme_texts: "region"',
      'Provider config acme_texts: "colour" is no field of this group.',
      'Sender rules acme_texts at /rules/0/fallback/0: There is no sender "othr" in channel "acme_texts". Did you mean "other"?',
      'Sender rules acme_texts at /rules/0/when/clas: "clas" is not a field of a rule',
      'Sender rules acme_text is of channel "acme_text", which is neither',
      'Sending rules at /quietHours/0/timeZone: "Mars" is no time zone',
      'Sending rules at /caps/0/channel: There is no channel "acme".',
      'Webhook https://ops.example/hook: "secret" is a secret, so it stands as a reference',
      'Webhook https://ops.example: The address holds a user name or password.',
      'Webhook https://two.example: it needs its "secret", as a reference',
      'Webhook https://three.example: A secret is "whsec_"',
    ]) {
      expect(message).toContain(`  ${line}`);
    }
    expect(message).not.toContain('pass-w0rd');
    expect((await engine.api.get('/connectors')).data).toEqual([]);
    expect((await engine.api.get('/webhooks')).data).toEqual([]);
  });

  it('have the schema of their calls, with the place of every mistake', async () => {
    const file = join(folder, 'wrong.json');
    const wrong = [
      '{ "sluiceway": 1,',
      '  "webhooks": [{ "url": "https://ops.example", "events": ["lane.open"] }],',
      '  "connectors": [{ "sid": "crm", "name": "CRM", "kind": "postgres", "host": 5, "database": "x", "user": "y" }],',
      '  "senderRules": [{ "channel": "acme_texts", "rules": [{ "name": "A" }] }],',
      '  "sendingRules": { "quietHours": [], "caps": [{ "message": 1, "perHours": 1, "onHit": "hold" }] } }',
    ];
    await writeFile(file, wrong.join('\n'));
    const message = await failure(['plan', file]);
    expect(message).toMatch(/wrong\.json:2:\d+ Element 1 must be one of .*Did you mean "lane\.opened"\?/);
    expect(message).toMatch(/wrong\.json:3:\d+ "kind" must be one of "postgresql", "mysql"/);
    expect(message).toMatch(/wrong\.json:3:\d+ "host" must be /);
    expect(message).toMatch(/wrong\.json:4:\d+ "senders" is missing\./);
    expect(message).toMatch(/wrong\.json:5:\d+ "message" is not known here\. Did you mean "messages"\?/);
    const [one] = bundle().senderRules;
    await writeFile(
      file,
      JSON.stringify({ sluiceway: 1, connectors: [connector, connector], senderRules: [one, one] }),
    );
    expect(await failure(['plan', file])).toContain(
      'holds some members twice: connector crm, sender-rules acme_texts.',
    );
  });

  it('are made after what they name, exactly as the plan shows', async () => {
    await writeBundle(bundle());
    const planned = await run(['plan', channels]);
    expect(planned.output).toBe(
      [
        '+ connector crm',
        '+ channel acme_texts',
        '+ provider-config acme_texts',
        '+ sender acme_texts/main',
        '+ sender acme_texts/other',
        '+ sender-rules acme_texts',
        '+ sending-rules account',
        '+ webhook https://ops.example/hook',
        '8 to create, 0 to change, 0 unchanged',
        '',
      ].join('\n'),
    );
    const unset = await run(['plan', channels], { CRM_PASSWORD: '', OPS_URL: '', OPS_SECRET: '' });
    expect(unset.output).toContain('apply needs these in the environment: CRM_PASSWORD, OPS_SECRET, OPS_URL');
    const applied = await run(['apply', channels]);
    expect(applied).toEqual({ code: 0, output: `${planned.output}applied 8 of 8\n` });
    const { api } = engine;
    expect((await api.get('/connectors')).data).toMatchObject([
      { sid: 'crm', host: 'db.example', port: 5432, password: { set: true }, tls: 'verify' },
    ]);
    expect(await api.get('/channels/acme_texts/provider-config')).toMatchObject({
      region: 'eu',
      key: { set: true },
    });
    const { senderRules, sendingRules } = bundle();
    expect((await api.get('/channels/acme_texts/sender-rules')).rules).toEqual(senderRules[0]?.rules);
    expect(await api.get('/sending-rules')).toEqual(sendingRules);
    expect((await api.get('/webhooks')).data).toMatchObject([
      { url: SECRETS.OPS_URL, events: webhook.events, status: 'active', secret: { set: true } },
    ]);
  });

  it('are unchanged a second time', async () => {
    const before = (await engine.api.get('/audit')).pagination.total;
    const { output } = await run(['apply', channels]);
    expect(output).toContain('0 to create, 0 to change, 8 unchanged\napplied 0 of 0\n');
    expect((await engine.api.get('/audit')).pagination.total).toBe(before);
  });

  it('show the difference of each member, and no secret', async () => {
    const changed = {
      ...bundle(),
      webhooks: [{ ...webhook, events: ['lane.closed', 'mailing.finished'], status: 'disabled' }],
      sendingRules: { quietHours: [], caps: [{ ...cap, messages: 5 }] },
      senderRules: [{ channel: 'acme_texts', rules: [{ ...rule, fallback: ['main'] }] }],
      providerConfigs: [{ channel: 'acme_texts', fields: { region: 'us', key: reference('ACME_KEY') } }],
      connectors: [{ ...connector, name: 'CRM 2', port: 6432 }],
    };
    await writeBundle(changed);
    const planned = await run(['plan', channels]);
    expect(planned.output).toBe(
      [
        '~ connector crm',
        '    ~ /name: "CRM" → "CRM 2"',
        '    ~ /port: 5432 → 6432',
        '= channel acme_texts',
        '~ provider-config acme_texts',
        '    ~ /fields/region: "eu" → "us"',
        '= sender acme_texts/main',
        '= sender acme_texts/other',
        '~ sender-rules acme_texts',
        '    ~ /rules/0/fallback/0: "other" → "main"',
        '    - /rules/1: {"name":"Rest","senders":[{"sender":"main"}]}',
        '~ sending-rules account',
        `    - /quietHours/0: ${JSON.stringify(quiet).slice(0, 60)}…`,
        '    ~ /caps/0/messages: 3 → 5',
        '~ webhook https://ops.example/hook',
        '    ~ /events/1: "lane.opened" → "mailing.finished"',
        '    ~ /status: "active" → "disabled"',
        '0 to create, 5 to change, 3 unchanged',
        '',
      ].join('\n'),
    );
    expect((await run(['apply', channels])).output).toContain('applied 5 of 5');
    expect((await run(['plan', channels])).output).toContain('0 to change, 8 unchanged');
    const connectors = await engine.api.get('/connectors');
    expect(connectors.data).toMatchObject([{ name: 'CRM 2', port: 6432, password: { set: true } }]);
    await writeBundle(bundle());
    expect((await run(['apply', channels])).output).toContain('applied 5 of 5');
    // The status of a webhook that says nothing about it stays as it is.
    expect((await engine.api.get('/webhooks')).data).toMatchObject([{ status: 'disabled' }]);
  });

  it('keep secrets that are set, unless they are to be written again', async () => {
    const setAt = async () => {
      const [crm] = (await engine.api.get('/connectors')).data;
      const [hook] = (await engine.api.get('/webhooks')).data;
      const config = await engine.api.get('/channels/acme_texts/provider-config');
      return [crm.password.setAt, hook.secret.setAt, config.key.setAt];
    };
    const before = await setAt();
    const rotated = {
      CRM_PASSWORD: 'another-password',
      ACME_KEY: 'another-key',
      OPS_SECRET: `whsec_${Buffer.alloc(32, 8).toString('base64')}`,
    };
    expect((await run(['apply', channels], rotated)).output).toContain('0 to change, 8 unchanged');
    expect(await setAt()).toEqual(before);
    const { output } = await run(['apply', channels, '--secrets'], rotated);
    for (const pointer of ['/password', '/secret', '/fields/key']) {
      expect(output).toContain(`    ~ ${pointer}: (secret) → (secret)\n`);
    }
    for (const secret of Object.values(rotated)) expect(output).not.toContain(secret);
    (await setAt()).forEach((time, index) => {
      expect(time).not.toBe(before[index]);
    });
  });
});

describe('sluiceway export of rules and settings', () => {
  it('holds references for secrets, and is applied to another engine, which exports the same', async () => {
    // Of two webhooks with one address each stays itself.
    await engine.api.post('/webhooks', { url: SECRETS.OPS_URL, events: ['*'] });
    await engine.api.post('/connectors', {
      ...{
        sid: 'open',
        name: 'Open',
        kind: 'mysql',
        host: 'b.example',
        database: 'b',
        user: 'b',
        tls: 'off',
      },
    });
    const file = join(folder, 'export.json');
    expect((await run(['export', '--out', file])).output).toBe(
      `${file}: 1 channels, 2 senders, 2 connectors, 1 providerConfigs, 1 senderRules, 2 webhooks, 1 sendingRules\n`,
    );
    const text = await readFile(file, 'utf8');
    for (const secret of [...HIDDEN, 'another-']) expect(text).not.toContain(secret);
    const exported = JSON.parse(text);
    expect(exported.connectors).toEqual([
      {
        ...{ sid: 'crm', name: 'CRM', kind: 'postgresql', host: 'db.example', port: 6432, database: 'crm' },
        ...{ user: 'reader', password: reference('CONNECTOR_CRM_PASSWORD'), tls: 'verify' },
      },
      {
        ...{ sid: 'open', name: 'Open', kind: 'mysql', host: 'b.example', port: 3306, database: 'b' },
        ...{ user: 'b', tls: 'off' },
      },
    ]);
    expect(exported.providerConfigs).toEqual([
      { channel: 'acme_texts', fields: { region: 'eu', key: reference('ACME_TEXTS_ACCOUNT_KEY') } },
    ]);
    expect(exported.senderRules).toEqual(bundle().senderRules);
    expect(exported.sendingRules).toEqual(bundle().sendingRules);
    expect(exported.webhooks).toEqual([
      {
        ...{ url: SECRETS.OPS_URL, events: webhook.events, status: 'disabled' },
        secret: reference('WEBHOOK_OPS_EXAMPLE_SECRET'),
      },
      { url: SECRETS.OPS_URL, events: ['*'], secret: reference('WEBHOOK_OPS_EXAMPLE_SECRET_2') },
    ]);
    expect((await run(['plan', file])).output).toContain('0 to create, 0 to change, 10 unchanged');
    const other = await start('second');
    try {
      const given = {
        SLUICEWAY_TOKEN: TOKEN,
        ...Object.fromEntries(
          [...text.matchAll(/"env:(\w+)"/g)].map(([, name = '']) => [
            name,
            name.startsWith('WEBHOOK') ? SIGNING : 'a-secret',
          ]),
        ),
      };
      const applied = await runCommand(['apply', file, '--url', other.url], given);
      expect(applied.output).toContain('+ webhook https://ops.example/hook (2)\n');
      expect(applied.output).toContain('applied 10 of 10');
      const again = await runCommand(['apply', file, '--url', other.url], given);
      expect(again.output).toContain('applied 0 of 0');
      expect((await runCommand(['export', '--url', other.url], given)).output).toBe(text);
    } finally {
      await other.end('SIGTERM');
    }
  });

  it('leaves out rules of a channel that was deleted', async () => {
    const file = join(folder, 'gone.json');
    const gone = join(folder, 'gone');
    await runCommand(['init', 'acme_gone', '--folder', gone]);
    const { sendingRules } = bundle();
    const caps = [cap, { ...cap, channel: 'acme_gone' }];
    await writeFile(
      join(gone, 'bundle.json'),
      JSON.stringify({ sluiceway: 1, sendingRules: { ...sendingRules, caps } }),
    );
    expect((await run(['apply', gone])).output).toContain('applied 2 of 2');
    const headers = { authorization: `Bearer ${TOKEN}` };
    await fetch(`${engine.url}/api/v1/channels/acme_gone`, { method: 'DELETE', headers });
    await run(['export', '--out', file]);
    const exported = JSON.parse(await readFile(file, 'utf8')).sendingRules;
    expect(exported).toEqual(sendingRules);
    await writeFile(file, JSON.stringify({ sluiceway: 1, sendingRules: exported }));
    expect((await run(['apply', file])).output).toContain(`    - /caps/1: {"messages":3,`);
    expect((await run(['plan', file])).output).toContain('0 to change');
  });

  it('needs an admin, but plans what everybody may read for everybody', async () => {
    const { token } = await engine.api.post('/tokens', { name: 'viewer', role: 'viewer' });
    expect(await failure(['export', '--token', token])).toContain('This needs the role admin');
    // As bundles were before they held rules and settings.
    const file = join(folder, 'older.json');
    await writeFile(
      file,
      JSON.stringify({ sluiceway: 1, channels: [], senders: bundle().senders, resources: [], templates: [] }),
    );
    expect((await run(['plan', file, '--token', token])).output).toContain('0 to change, 2 unchanged');
    expect((await run(['apply', file])).output).toContain('applied 0 of 0');
    expect((await engine.api.get('/sending-rules')).caps).toEqual([cap]);
  });
});
