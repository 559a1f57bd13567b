/** export, plan and apply against running engines: what is exported is applied elsewhere, and a second time nothing changes. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine, TOKEN, until } from '../support/engine.ts';
import { failureOfCommand, type Ran, runCommand } from './run.ts';

const SECRETS = { ACME_TOKEN: 'very-secret-token', ACME_HOOK: 'hook-secret' };

let folder: string;
let channels: string;
let engine: Engine;

const start = (name: string) =>
  // Without folders of channels: what is here was applied.
  startEngine({
    SLUICEWAY_DATA: join(folder, name),
    SLUICEWAY_CHANNELS: '',
    SLUICEWAY_ALLOW_ADDRESSES: '127.0.0.1',
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-bundle-'));
  channels = join(folder, 'channels');
  await runCommand(['init', 'acme_texts', '--folder', channels]);
  await writeBundle(bundle());
  engine = await start('first');
});

afterAll(async () => {
  await engine?.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

function bundle(baseUrl: unknown = 'https://api.acme.example') {
  const fields = {
    base_url: baseUrl,
    token: { $ref: 'env:ACME_TOKEN' },
    webhook_token: { $ref: 'env:ACME_HOOK' },
  };
  return {
    sluiceway: 1,
    senders: [{ sid: 'main', name: 'Main', channel: 'acme_texts', fields }],
    resources: [{ sid: 'shop', name: 'Shop', channels: { acme_texts: {} } }],
    templates: [
      { sid: 'hello', name: 'Hello', channel: 'acme_texts', values: { text: 'Hi {{ customer.name }}' } },
    ],
  };
}

const writeBundle = (value: unknown) =>
  writeFile(join(channels, 'bundle.json'), JSON.stringify(value, null, 2));

const asked = (args: readonly string[]) => [...args, '--url', engine.url];
const run = (args: readonly string[], environment: Record<string, string> = SECRETS): Promise<Ran> =>
  runCommand(asked(args), { SLUICEWAY_TOKEN: TOKEN, ...environment });
const failure = (args: readonly string[], environment: Record<string, string> = SECRETS): Promise<string> =>
  failureOfCommand(asked(args), { SLUICEWAY_TOKEN: TOKEN, ...environment });

describe('sluiceway plan and apply', () => {
  it('names all missing variables at once, and changes nothing', async () => {
    const planned = await run(['plan', channels], {});
    expect(planned.code).toBe(0);
    expect(planned.output).toContain('apply needs these in the environment: ACME_HOOK, ACME_TOKEN\n');
    expect(await failure(['apply', channels], { ACME_HOOK: '' })).toContain(
      'variables that the environment does not have: ACME_HOOK, ACME_TOKEN. Set them all; nothing was changed.',
    );
    expect((await engine.api.get('/senders')).data).toEqual([]);
  });

  it('finds everything that is wrong before anything is changed', async () => {
    const { senders, ...rest } = bundle('not an address');
    const fields = { ...senders[0]?.fields, token: 'plain', colour: 'red' };
    await writeBundle({
      ...rest,
      senders: [
        { ...senders[0], fields },
        { sid: 'other', name: 'Other', channel: 'acme_text', fields: {} },
      ],
      templates: [{ ...rest.templates[0], values: { text: '{% if %}' } }],
    });
    const message = await failure(['apply', channels]);
    expect(message).toContain('nothing was changed:\n');
    expect(message).toContain('Sender acme_texts/main: "token" is a secret, so it stands as a reference');
    expect(message).toContain('Sender acme_texts/main: "base_url"');
    expect(message).toContain('Sender acme_texts/main: "colour" is no field of this group.');
    expect(message).toContain('Sender acme_text/other is of channel "acme_text", which is neither');
    expect(message).toMatch(/Template acme_texts\/hello: .*text/);
    expect(message).not.toContain('plain');
    expect((await engine.api.get('/channels')).data.map((each: { sid: string }) => each.sid)).not.toContain(
      'acme_texts',
    );
    await writeBundle(bundle());
  });

  it('makes exactly what the plan shows', async () => {
    const planned = await run(['plan', channels]);
    expect(planned.output).toBe(
      [
        '+ channel acme_texts',
        '+ resource shop',
        '+ sender acme_texts/main',
        '+ template acme_texts/hello',
        '4 to create, 0 to change, 0 unchanged',
        '',
      ].join('\n'),
    );
    const applied = await run(['apply', channels]);
    expect(applied).toEqual({ code: 0, output: `${planned.output}applied 4 of 4\n` });
    const [sender] = (await engine.api.get('/senders')).data;
    expect(sender).toMatchObject({
      sid: 'main',
      fields: { base_url: 'https://api.acme.example', token: { set: true } },
    });
  });

  it('changes nothing a second time', async () => {
    const before = (await engine.api.get('/audit')).pagination.total;
    const { code, output } = await run(['apply', channels]);
    expect(code).toBe(0);
    expect(output).toContain('0 to create, 0 to change, 4 unchanged\napplied 0 of 0\n');
    expect((await engine.api.get('/audit')).pagination.total).toBe(before);
    expect((await engine.api.get('/channels/acme_texts')).version).toBe(1);
  });

  it('shows a small difference of each member, and applies it', async () => {
    const message = join(channels, 'acme_texts/pipelines/message.json');
    await writeFile(message, (await readFile(message, 'utf8')).replace('"attempts": 5', '"attempts": 7'));
    await writeBundle({ ...bundle('https://eu.acme.example'), resources: [] });
    const planned = await run(['plan', channels]);
    expect(planned.output).toBe(
      [
        '~ channel acme_texts',
        '    ~ /pipelines/message/1/params/retry/attempts: 5 → 7',
        '~ sender acme_texts/main',
        '    ~ /fields/base_url: "https://api.acme.example" → "https://eu.acme.example"',
        '= template acme_texts/hello',
        '0 to create, 2 to change, 1 unchanged',
        '',
      ].join('\n'),
    );
    const { members } = JSON.parse((await run(['plan', channels, '--json'])).output);
    expect(members[1]).toEqual({
      kind: 'sender',
      name: 'acme_texts/main',
      change: 'changed',
      differences: [
        { pointer: '/fields/base_url', to: 'https://eu.acme.example', from: 'https://api.acme.example' },
      ],
    });
    expect((await run(['apply', channels])).code).toBe(0);
    expect((await engine.api.get('/channels/acme_texts')).version).toBe(2);
    expect((await run(['plan', channels])).output).toContain('0 to change, 3 unchanged');
    await writeBundle(bundle('https://eu.acme.example'));
  });

  it('leaves secrets that are set, unless it is told to write them again', async () => {
    const setAt = async () => (await engine.api.get('/senders')).data[0].fields.token.setAt;
    const before = await setAt();
    const rotated = { ...SECRETS, ACME_TOKEN: 'another-token' };
    expect((await run(['apply', channels], rotated)).output).toContain('0 to change, 4 unchanged');
    expect(await setAt()).toBe(before);
    const { output } = await run(['apply', channels, '--secrets'], rotated);
    expect(output).toContain('    ~ /fields/token: (secret) → (secret)\n');
    expect(output).not.toContain('another-token');
    expect(await setAt()).not.toBe(before);
  });

  it('names the place of every mistake in a file', async () => {
    const file = join(folder, 'wrong.json');
    await writeFile(
      file,
      '{\n  "sluiceway": 1,\n  "sender": [],\n  "channels": [\n    { "sid": "acme_x", "nam": "X" }\n  ]\n}\n',
    );
    expect(await failure(['plan', file])).toMatch(/wrong\.json:3:3 "sender" is not known here\..*"senders"/);
    await writeFile(
      file,
      '{\n  "sluiceway": 1,\n  "channels": [\n    { "sid": "acme_x", "nam": "X" }\n  ]\n}\n',
    );
    expect(await failure(['plan', file])).toMatch(/wrong\.json:4:\d+ "nam" is not known here\./);
    await writeFile(file, '{ "sluiceway": 2 }');
    expect(await failure(['plan', file])).toMatch(/wrong\.json:1:\d+ "sluiceway" must be 1/);
    await writeFile(
      file,
      JSON.stringify({ ...bundle(), senders: [...bundle().senders, ...bundle().senders] }),
    );
    expect(await failure(['plan', file])).toContain('holds some members twice: sender acme_texts/main.');
    expect(await failure(['plan', join(channels, 'acme_texts/pipelines')])).toContain(
      'There is no channel in',
    );
  });

  it('refuses to change a channel that comes with the product', async () => {
    const shipped = (await engine.api.get('/channels/telegram_bot')).document;
    const file = join(folder, 'telegram.json');
    await writeFile(file, JSON.stringify({ sluiceway: 1, channels: [{ ...shipped, name: 'Mine' }] }));
    expect(await failure(['plan', file])).toContain(
      'Channel "telegram_bot" differs from the server\'s, but there it comes with the product',
    );
    await writeFile(file, JSON.stringify({ sluiceway: 1, channels: [shipped] }));
    expect((await run(['plan', file])).output).toContain('= channel telegram_bot\n');
  });
});

describe('sluiceway export', () => {
  it('writes a bundle that holds no secret and changes nothing here', async () => {
    const file = join(folder, 'export.json');
    const { code, output } = await run(['export', '--out', file]);
    expect({ code, output }).toEqual({
      code: 0,
      output: `${file}: 1 channels, 1 senders, 1 resources, 1 templates\n`,
    });
    const text = await readFile(file, 'utf8');
    for (const secret of [...Object.values(SECRETS), 'another-token']) expect(text).not.toContain(secret);
    expect(JSON.parse(text).senders[0].fields.token).toEqual({ $ref: 'env:ACME_TEXTS_MAIN_TOKEN' });
    expect((await run(['plan', file], {})).output).toContain('0 to create, 0 to change, 4 unchanged');
    expect((await run(['export'])).output).toBe(text);
  });

  it('is applied to another engine, which then exports the same', async () => {
    const file = join(folder, 'export.json');
    await run(['export', '--out', file]);
    const other = await start('second');
    try {
      const environment = {
        SLUICEWAY_TOKEN: TOKEN,
        ACME_TEXTS_MAIN_TOKEN: 'a-token',
        ACME_TEXTS_MAIN_WEBHOOK_TOKEN: 'a-hook',
      };
      const applied = await runCommand(['apply', file, '--url', other.url], environment);
      expect(applied.output).toContain('applied 4 of 4');
      const exported = await runCommand(['export', '--url', other.url], environment);
      expect(exported.output).toBe(await readFile(file, 'utf8'));
    } finally {
      await other.end('SIGTERM');
    }
  });

  it('says how far it came when the server stops it', async () => {
    // An editor may write templates, but no channels.
    const { token } = await engine.api.post('/tokens', { name: 'editor', role: 'editor' });
    const copy = join(folder, 'copy');
    await cp(channels, copy, { recursive: true });
    await writeFile(
      join(copy, 'bundle.json'),
      JSON.stringify({ ...bundle('https://eu.acme.example'), resources: [{ sid: 'club', name: 'Club' }] }),
    );
    const message = await failureOfCommand(asked(['apply', copy, '--token', token]), SECRETS);
    expect(message).toContain('resource club was not applied: This needs the role admin');
    expect(message).toContain('0 of 1 were applied before it.');
  });
});

it('changes nothing for what a launch has sent on its way already', async () => {
  const asked: { url: string | undefined; response: ServerResponse }[] = [];
  const provider = createServer((request, response) => {
    asked.push({ url: request.url, response });
    // The first request is answered when the channel has changed.
    if (asked.length > 1) response.setHeader('content-type', 'application/json').end('{"id":"p-1"}');
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  try {
    const late = join(folder, 'late');
    await runCommand(['init', 'acme_late', '--folder', late]);
    const message = join(late, 'acme_late/pipelines/message.json');
    const pipeline = (await readFile(message, 'utf8')).replace('"base": 2', '"base": 0.1');
    await writeFile(message, pipeline);
    const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    const [sender] = bundle(baseUrl).senders;
    const named = { ...sender, channel: 'acme_late' };
    const club = { sid: 'late_club', name: 'Club', channels: { acme_late: {} } };
    await writeFile(
      join(late, 'bundle.json'),
      JSON.stringify({ sluiceway: 1, senders: [named], resources: [club] }),
    );
    expect((await run(['apply', late])).output).toContain('applied 3 of 3');
    await engine.api.post('/profiles', { externalId: 'ann', fields: {} });
    const subscription = { profile: 'ann', resource: 'late_club', channel: 'acme_late' };
    await engine.api.post('/subscriptions', { ...subscription, fields: { phone: '+4930000001' } });
    const mailing = async () => {
      const { id } = await engine.api.post('/mailings', {
        ...{ name: 'Late', channel: 'acme_late', resource: 'late_club', sender: 'main' },
        ...{ template: { text: 'Hello' }, audience: { all: true } },
      });
      return ['mailing', 'start', id];
    };
    expect((await run([...(await mailing()), '--no-wait'])).code).toBe(0);
    await until(async () => asked.length > 0);

    await writeFile(message, pipeline.replace('$sender.base_url/messages', '$sender.base_url/v2/messages'));
    expect((await run(['apply', late])).output).toContain('~ channel acme_late');
    asked[0]?.response.writeHead(503).end();
    await until(async () => asked.length > 1);
    expect((await run(await mailing())).output).toContain('finished: 1 of 1 messages');
    expect(asked.map(({ url }) => url)).toEqual(['/messages', '/messages', '/v2/messages']);
  } finally {
    provider.closeAllConnections();
    await new Promise((resolve) => provider.close(resolve));
  }
});
