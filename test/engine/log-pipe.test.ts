/** A log pipe in a whole process, whose log is the real one: it writes its line and costs the run nothing. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, startEngine, until } from '../support/engine.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
let folder = '';
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-log-pipe-'));
  await mkdir(join(folder, 'channels/logged'), { recursive: true });
  const document = {
    sid: 'logged',
    id: 10_778,
    name: 'Logged',
    type: 'web',
    communication: 'indirect',
    mailing_types: ['regular'],
    events: [{ sid: 'posted', id: 107_780, name: 'Posted', color: '#607d8b', type: 'send' }],
    fields: {
      resource: [{ field: 'url', type: 'url', name: 'Address' }],
      template: [{ field: 'text', type: 'text', name: 'Text' }],
    },
    pipelines: {
      message: [
        ...LEVELS.map((level, index) => ({
          id: index + 1,
          type: 'log',
          params: { level, message: `${level}: $template.text` },
          outs: { success: index + 2 },
        })),
        { id: LEVELS.length + 1, type: 'event', params: { sid: 'posted' } },
      ],
    },
  };
  await writeFile(join(folder, 'channels/logged/channel.json'), JSON.stringify(document));
  engine = await startEngine({
    SLUICEWAY_DATA: join(folder, 'data'),
    SLUICEWAY_CHANNELS: join(folder, 'channels'),
    SLUICEWAY_LOG_LEVEL: 'debug',
  });
});
afterAll(async () => {
  await engine?.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

it('writes a line at every level, and the message is sent', async () => {
  await engine.api.post('/resources', { sid: 'wall', name: 'Wall', channels: {} });
  const made = await engine.api.post('/messages', {
    channel: 'logged',
    resource: 'wall',
    template: { text: 'Sale' },
  });
  const stateOf = async () => (await engine.api.get(`/messages/${made.id}`)).state;
  await until(async () => ['sent', 'failed', 'unknown'].includes(await stateOf()));
  expect(await stateOf()).toBe('sent');
  await until(async () => LEVELS.every((level) => engine.errors().includes(`${level}: Sale`)));
});
