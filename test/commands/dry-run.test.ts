import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOfCommand, runCommand } from './run.ts';

const SMS = join(import.meta.dirname, '../../examples/example_sms');

interface Seen {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly key: string | undefined;
  readonly body: string;
}

let folder: string;
let provider: Server;
let host: string;
const seen: Seen[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-dry-run-'));
  provider = createServer(async (request, response) => {
    const { authorization, 'idempotency-key': key } = request.headers;
    seen.push({
      path: request.url,
      authorization,
      key: key === undefined ? undefined : String(key),
      body: await text(request),
    });
    response.setHeader('content-type', 'application/json');
    if (request.url === '/token') {
      response.end(
        JSON.stringify({ access_token: 'granted-for-this-run', token_type: 'Bearer', expires_in: 60 }),
      );
    } else {
      // A provider that says back what it was told.
      response.end(JSON.stringify({ id: 'p-1', status: 'accepted', echo: authorization }));
    }
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(provider.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise((resolve) => provider.close(resolve));
  await rm(folder, { recursive: true });
});

async function file(name: string, value: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

const message = (baseUrl = 'https://api.sms.example') => ({
  template: { text: 'Hi {{ customer.name }}' },
  subscription: { phone: '+10000000001' },
  profile: { name: 'Ann' },
  resource: { brand: 'Acme' },
  sender: { token: 'very-secret-token', base_url: baseUrl, webhook_secret: 'hook-secret' },
});

describe('sluiceway dry-run', () => {
  it('shows the request as it would go out, and visibly stops there', async () => {
    const given = await file('message.json', message());
    const { code, output } = await runCommand(['dry-run', SMS, '--message', given]);
    expect(code, output).toBe(0);
    const lines = output.split('\n').map((line) => line.trim());
    expect(lines).toContain('1 pack          → success');
    expect(lines).toContain('2 http_request  stopped');
    expect(lines).toContain('> POST https://api.sms.example/messages');
    expect(output).toContain('"to":"+10000000001","text":"Hi Ann"');
    expect(output).toContain('note: Nothing was sent. Give pipe 2 an answer in --answers');
    expect(output).toMatch(/\nended: stopped\n$/);
    expect(output).not.toContain('very-secret-token');
  });

  it('stops before the request although the pipe has an error exit and a retry rule', async () => {
    const given = await file('message.json', message());
    const { output } = await runCommand(['dry-run', SMS, '--message', given, '--json']);
    const { status, happened, trace } = JSON.parse(output);
    expect(status).toBe('stopped');
    expect(happened.path).toEqual(['1:success', '2:wait']);
    expect(happened).not.toHaveProperty('wait');
    expect(happened.requests[0].headers.authorization).toBe('Bearer ***');
    expect(trace.at(-1)).toMatchObject({ pipe: 2, exit: 'stopped', request: { method: 'POST' } });
    expect(trace.at(-1)).not.toHaveProperty('rule');
  });

  it('goes on with the answers that are given, to the end', async () => {
    const given = await file('message.json', message());
    const answers = await file('answers.json', { '2': { status: 202, body: { id: 'p-9' } } });
    const { code, output } = await runCommand(['dry-run', SMS, '--message', given, '--answers', answers]);
    expect(code, output).toBe(0);
    expect(output).toContain('event: {"sid":"accepted"');
    expect(output).toMatch(/\nended: done\n$/);
  });

  it('has exit code 1 where the run fails, and names the rule that decided', async () => {
    const given = await file('message.json', message());
    const answers = await file('answers.json', { '2': { status: 302 } });
    const { code, output } = await runCommand(['dry-run', SMS, '--message', given, '--answers', answers]);
    expect(code).toBe(1);
    expect(output).toContain('rule: not retryable; taking the error exit');
    expect(output).toMatch(/\nended: failed\n$/);
  });

  it('runs a listener from a whole given', async () => {
    const tests = JSON.parse(await readFile(join(SMS, 'listener.test.json'), 'utf8'));
    const given = await file('given.json', tests.tests[0].given);
    const { code, output } = await runCommand(['dry-run', SMS, '--message', given, '--pipeline', 'listener']);
    expect(code, output).toBe(0);
    expect(output).toContain('event: {"sid":"delivered"');
    expect(output).toContain('answered: {"status":200');
  });

  it('really sends with --live, each time as a message of its own', async () => {
    const given = await file('live.json', message(`http://${host}`));
    const args = ['dry-run', SMS, '--message', given, '--live'];
    const environment = { SLUICEWAY_ALLOW_ADDRESSES: host };
    const first = await runCommand(args, environment);
    await runCommand(args, environment);
    expect(first.code).toBe(0);
    expect(first.output).toMatch(/\nended: done\n$/);
    expect(first.output).not.toContain('very-secret-token');
    const sent = seen.filter(({ path }) => path === '/messages');
    expect(sent).toHaveLength(2);
    expect(sent[0]?.authorization).toBe('Bearer very-secret-token');
    expect(new Set(sent.map(({ key }) => key)).size).toBe(2);
  });

  it('does not send to addresses that the settings do not allow', async () => {
    const before = seen.length;
    const given = await file('live.json', message(`http://${host}`));
    const { code, output } = await runCommand(['dry-run', SMS, '--message', given, '--live']);
    expect(code).toBe(1);
    expect(output).toContain('ADDRESS_FORBIDDEN: ');
    expect(seen).toHaveLength(before);
  });

  it('masks a token that was granted on the way', async () => {
    const channel = await file('acme-granted.json', {
      sid: 'acme_granted',
      name: 'Acme',
      type: 'sms',
      communication: 'direct',
      events: [],
      fields: {
        sender: [{ field: 'secret', type: 'string', name: 'Secret', required: true, secret: true }],
        subscription: [{ field: 'phone', type: 'string', name: 'Phone', required: true }],
        template: [{ field: 'text', type: 'text', name: 'Text', required: true }],
      },
      pipelines: {
        message: [
          {
            id: 1,
            type: 'http_request',
            params: {
              url: `http://${host}/granted`,
              auth_type: 'oauth2',
              auth_token_url: `http://${host}/token`,
              auth_client_id: 'acme',
              auth_client_secret: '$sender.secret',
            },
          },
        ],
      },
    });
    const given = await file('granted.json', {
      template: { text: 'x' },
      subscription: { phone: '+12025550123' },
      sender: { secret: 'client-secret' },
    });
    const { code, output } = await runCommand(['dry-run', channel, '--message', given, '--live', '--json'], {
      SLUICEWAY_ALLOW_ADDRESSES: host,
    });
    expect(code, output).toBe(0);
    expect(seen.find(({ path }) => path === '/granted')?.authorization).toBe('Bearer granted-for-this-run');
    expect(output).toContain('/granted');
    expect(output).not.toContain('granted-for-this-run');
    expect(output).not.toContain('client-secret');
  });

  it('says what is wrong with its files', async () => {
    const args = async (value: unknown) => ['dry-run', SMS, '--message', await file('bad.json', value)];
    expect(await failureOfCommand(await args({ templat: {} }))).toMatch(
      /bad\.json is not right: at \/templat: .*Did you mean "template"\?/,
    );
    expect(await failureOfCommand(await args('{ "template": '))).toMatch(/bad\.json is wrong at 1:\d+: /);
    expect(await failureOfCommand(await args(''))).toContain('bad.json is empty');
    expect(await failureOfCommand(['dry-run', SMS, '--message', 'no.json'])).toContain('(ENOENT)');
    const given = await file('message.json', message());
    const answers = await file('answers.json', { '2': { statuss: 200 } });
    expect(await failureOfCommand(['dry-run', SMS, '--message', given, '--answers', answers])).toMatch(
      /answers\.json is not right: at \/2\/statuss: .*Did you mean "status"\?/,
    );
    expect(await failureOfCommand(['dry-run', SMS, '--message', given, '--pipeline', 'stop'])).toContain(
      'has no pipeline "stop"; it has: message, listener.',
    );
  });
});
