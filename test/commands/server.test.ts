/** Commands that work on a running server: send, import, mailing start, token create on its data folder. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callApi } from '../../demo/call-api.ts';
import { type Engine, type Provider, startEngine, startProvider, TOKEN } from '../support/engine.ts';
import { failureOfCommand, runCommand } from './run.ts';

let folder: string;
let provider: Provider;
let engine: Engine;
let environment: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-commands-'));
  provider = await startProvider(0);
  engine = await startEngine({
    SLUICEWAY_DATA: join(folder, 'engine'),
    SLUICEWAY_ALLOW_ADDRESSES: new URL(provider.url).host,
  });
  environment = { SLUICEWAY_TOKEN: TOKEN };
  const { api } = engine;
  const fields = { token: 'demo-token', base_url: provider.url, webhook_secret: 'demo-secret' };
  await api.post('/senders', { sid: 'main', name: 'Main', channel: 'example_sms', fields });
  const channels = { example_sms: { brand: 'SHOP' }, example_board: { board_url: `${provider.url}/board` } };
  await api.post('/resources', { sid: 'shop', name: 'Shop', channels });
});

afterAll(async () => {
  await engine?.end('SIGTERM');
  await provider?.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** A published text message of the library. */
async function publishedItem(body: string): Promise<string> {
  const { api } = engine;
  const email = `${body.toLowerCase().replaceAll(' ', '.')}@example.com`;
  const reviewer = await api.post('/users', { email, name: 'Reviewer', role: 'editor' });
  const { token } = await api.post('/tokens', { userId: reviewer.id, name: 'second', role: 'editor' });
  const { id } = await api.post('/content', { name: body, channelType: 'sms_text', content: { body } });
  await api.post(`/content/${id}/submit`);
  await callApi(engine.url, token).post(`/content/${id}/approve`);
  await api.post(`/content/${id}/publish`);
  return id;
}

const run = (args: readonly string[], terminal?: number) =>
  runCommand([...args, '--url', engine.url], environment, terminal);

describe('sluiceway import', () => {
  it('streams CSV, counts what came of it, and prints every line that was refused', async () => {
    const rows = Array.from({ length: 3_000 }, (_, index) => `c-${index},Ann,${index % 5}`);
    const path = await file(
      'people.csv',
      ['externalId,name,visits:number', ...rows, ',Nobody,1', 'x,Bad,1,more', ''].join('\n'),
    );
    const { code, output } = await run(['import', 'profiles', path]);
    expect(code).toBe(1);
    const lines = output.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^\d+%: \d\.\d of 0\.0 MB, \d+ lines sent$/);
    expect(lines.slice(1, -1)).toEqual([
      'line 3002: "externalId" is required.',
      expect.stringMatching(/^line 3003: ./),
    ]);
    expect(lines.at(-1)).toBe('3000 created, 0 updated, 2 refused');
  });

  it('streams NDJSON, and rewrites one line on a terminal', async () => {
    const rows = Array.from({ length: 50 }, (_, index) =>
      JSON.stringify({
        profile: `c-${index}`,
        resource: 'shop',
        channel: 'example_sms',
        fields: { phone: `+4930000${String(index + 40).padStart(4, '0')}` },
      }),
    );
    const path = await file('subscriptions.ndjson', `${rows.join('\n')}\n`);
    const { code, output } = await run(['import', 'subscriptions', path], 200);
    expect(code).toBe(0);
    expect(output).toBe(
      '\r\x1b[K100%: 0.0 of 0.0 MB, 50 lines sent\r\x1b[K50 created, 0 updated, 0 refused\n',
    );
  });

  it('takes suppressions, for which nothing is sent any more', async () => {
    const rows = ['+49300000085,example_sms,stop', '+49300009998,,', ',,'];
    const path = await file('stop.csv', ['address,channel,reason', ...rows, ''].join('\n'));
    const { code, output } = await run(['import', 'suppressions', path]);
    expect(code).toBe(1);
    expect(output).toContain('line 4: ');
    expect(output).toMatch(/\n2 created, 0 updated, 1 refused\n$/);
    const { data } = await engine.api.get('/suppressions?source=import');
    expect(data).toMatchObject([
      { address: '49300009998', channel: null, reason: 'import' },
      { address: '49300000085', channel: 'example_sms', reason: 'stop' },
    ]);
    const again = await file('stop.ndjson', '{"address":"+49 30 0000085","channel":"example_sms"}\n');
    const { output: changed } = await run(['import', 'suppressions', again]);
    expect(changed).toContain('0 created, 1 updated, 0 refused');
    // That is the number of c-45.
    const send = ['send', '--channel', 'example_sms', '--template', '{"text":"Hi"}', '--profile', 'c-45'];
    expect((await run([...send, '--wait', '30'])).output).toContain(': suppressed');
  });

  it('answers in JSON, without progress', async () => {
    const path = await file('more.txt', '{"externalId":"c-1","fields":{"name":"Bea"}}\n');
    const { code, output } = await run(['import', 'profiles', path, '--format', 'ndjson', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual({ created: 0, updated: 1, failed: 0, problems: [] });
  });

  it('refuses before anything is sent', async () => {
    expect(await failureOfCommand(['import', 'profiles', 'people.xlsx'], environment)).toContain(
      'does not tell what is in the file; say --format csv',
    );
    expect(await failureOfCommand(['import', 'suppression', 'no.csv'], environment)).toContain(
      'one of profiles, subscriptions, suppressions, not "suppression". Did you mean "suppressions"?',
    );
    expect(await failureOfCommand(['import', 'profiles', 'no.csv'], environment)).toContain(
      'There is no file "no.csv"',
    );
  });

  it('gives the reason of a server that refuses while the file is still coming', async () => {
    const path = await file('large.csv', `externalId,name\n${'c-1,Ann\n'.repeat(2_000_000)}`);
    const args = ['import', 'profiles', path, '--url', engine.url, '--token', 'wrong'];
    expect(await failureOfCommand(args)).toContain('This token is unknown, revoked or expired');
  });
});

describe('sluiceway send', () => {
  const message = ['send', '--channel', 'example_sms', '--template', '{ "text": "Hi {{ customer.name }}" }'];

  it('sends one message and waits until it is through', async () => {
    const { code, output } = await run([...message, '--profile', 'c-0', '--wait', '30']);
    expect(code, output).toBe(0);
    expect(output).toMatch(/^message (\S+): accepted\n(message \1: sending\n)?message \1: (sent|delivered)/);
  });

  it('takes files, and says in JSON what was accepted', async () => {
    const template = await file('template.json', '{ "text": "Hi {{ attributes.who }}" }');
    const profile = await file('profile.json', '{ "externalId": "c-7", "fields": { "name": "Chi" } }');
    const { code, output } = await run(
      [
        'send',
        '--channel',
        'example_sms',
        '--sender',
        'main',
        '--resource',
        'shop',
        '--class',
        'urgent',
      ].concat(['--template', template, '--profile', profile, '--attributes', '{"who":"you"}', '--json']),
    );
    expect(code, output).toBe(0);
    expect(JSON.parse(output)).toEqual({ id: expect.any(String), state: 'accepted' });
  });

  it('sends the published version of a content item', async () => {
    const item = await publishedItem('Hi from the library');
    const args = ['send', '--channel', 'example_sms', '--profile', 'c-3', '--content-item'];
    const { code, output } = await run([...args, item, '--wait', '30', '--json']);
    expect(code, output).toBe(0);
    const { id } = JSON.parse(output);
    expect(await engine.api.get(`/messages/${id}`)).toMatchObject({
      contentItemId: item,
      contentVersion: (await engine.api.get(`/content/${item}`)).publishedVersion,
    });
    const absent = '018f0000-0000-7000-8000-000000000000';
    expect(await failureOfCommand([...args, absent, '--url', engine.url], environment)).toContain(absent);
  });

  it('wants either a template or a content item', async () => {
    const either = 'Give the content: either --template or --content-item.';
    expect(await failureOfCommand([...message, '--content-item', 'x'], environment)).toBe(either);
    expect(await failureOfCommand(['send', '--channel', 'example_sms'], environment)).toBe(either);
  });

  it('sends once under one key', async () => {
    const args = [...message, '--profile', 'c-1', '--idempotency-key', 'k-1', '--json'];
    const first = await run(args);
    expect((await run(args)).output).toBe(first.output);
  });

  it('has exit code 1 where the message did not get through, and says why', async () => {
    // The demo's provider rejects this number.
    await engine.api.post('/subscriptions', {
      profile: 'c-9',
      resource: 'shop',
      channel: 'example_sms',
      fields: { phone: '+49300000000' },
    });
    const { code, output } = await run([...message, '--profile', 'c-9', '--wait', '30']);
    expect(code, output).toBe(1);
    expect(output).toContain(': undelivered (BLOCKED: This number is blocked.)');
  });

  it('passes on what the server says is wrong, with every problem', async () => {
    const args = [...message.slice(0, -1), '{ "txt": "Hi" }', '--profile', 'c-0', '--url', engine.url];
    expect(await failureOfCommand(args, environment)).toContain('The values do not fit the channel');
    expect(await failureOfCommand([...args.slice(0, 2), 'no_such', ...args.slice(3)], environment)).toContain(
      'no_such',
    );
    expect(await failureOfCommand([...args, '--wait', 'long'], environment)).toContain('number of seconds');
  });

  it('says so where no Sluiceway answers', async () => {
    const stranger = createServer((_request, response) => response.end('<html>hello</html>'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    const args = [...message, '--profile', 'c-0'];
    expect(await failureOfCommand([...args, '--url', url], environment)).toContain('not as Sluiceway does');
    await new Promise((resolve) => stranger.close(resolve));
    expect(await failureOfCommand([...args, '--url', url], environment)).toMatch(
      /^No answer came from http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\./,
    );
    expect(await failureOfCommand(args)).toContain('There is no token. Set SLUICEWAY_TOKEN');
    expect(await failureOfCommand([...args, '--url', 'engine'], environment)).toContain('not "engine"');
  });
});

describe('sluiceway mailing start', () => {
  const create = async (more: object = {}): Promise<string> => {
    const mailing = await engine.api.post('/mailings', {
      name: 'Spring',
      channel: 'example_sms',
      sender: 'main',
      resource: 'shop',
      template: { text: 'Hello' },
      audience: { all: true },
      ...more,
    });
    return mailing.id;
  };

  it('shows the mailing until it is finished, with messages by state and pace', async () => {
    const id = await create();
    const { code, output } = await run(['mailing', 'start', id]);
    expect(code, output).toBe(0);
    const lines = output.trimEnd().split('\n');
    expect(lines[0]).toBe('"Spring": sending');
    expect(lines.at(-1)).toMatch(/^finished: \d+ of \d+ messages \(.*\d+.*\), [\d.]+ per second$/);
    expect(lines.at(-1)).toMatch(/^finished: (\d+) of \1 messages/);
  });

  it('starts one with a content item', async () => {
    const contentItemId = await publishedItem('Autumn');
    const { id } = await engine.api.post('/mailings', {
      ...{ name: 'Autumn', channel: 'example_sms', sender: 'main', resource: 'shop', contentItemId },
      audience: { profiles: ['c-0', 'c-2'] },
    });
    const { code, output } = await run(['mailing', 'start', id]);
    expect(code, output).toBe(0);
    expect(output).toContain('finished: 2 of 2 messages');
    const { data } = await engine.api.get(`/messages?mailing=${id}`);
    expect(data).toHaveLength(2);
    expect(await engine.api.get(`/messages/${data[0].id}`)).toMatchObject({ contentItemId });
  });

  it('only starts it with --no-wait, and says when a scheduled one starts', async () => {
    const started = await run(['mailing', 'start', await create(), '--no-wait', '--json']);
    expect(JSON.parse(started.output)).toMatchObject({ name: 'Spring', counts: {} });
    const startAt = '2999-01-01T00:00:00Z';
    const later = await run(['mailing', 'start', await create({ schedule: { startAt } })]);
    expect(later).toEqual({ code: 0, output: `"Spring": scheduled; it starts by itself at ${startAt}\n` });
  });

  it('passes on why it cannot start', async () => {
    const absent = ['mailing', 'start', '018f0000-0000-7000-8000-000000000000', '--url', engine.url];
    expect(await failureOfCommand(absent, environment)).toBe('There is no mailing with this id.');
    expect(await failureOfCommand(['mailing', 'start', '../x'], environment)).toContain('not the id');
  });
});

it('refuses to open the data folder of a running engine', async () => {
  const own = { SLUICEWAY_DATA: join(folder, 'engine') };
  const args = ['token', 'create', '--name', 'ci', '--role', 'admin'];
  expect(await failureOfCommand(args, own)).toMatch(
    /is used by process \d+ on host \S+ since \S+\. Stop that process/,
  );
});
