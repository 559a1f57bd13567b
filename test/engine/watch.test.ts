/** A channel that is edited while the engine runs: valid changes are taken up, wrong ones change nothing. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, startEngine, until } from '../support/engine.ts';

let folder = '';
let engine: Engine;
const channelOf = (name: string, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    sid: 'watched',
    id: 10_777,
    name,
    type: 'web',
    communication: 'indirect',
    mailing_types: ['regular'],
    events: [],
    fields: {
      resource: [{ field: 'url', type: 'url', name: 'Address' }],
      template: [{ field: 'text', type: 'text', name: 'Text' }],
    },
    pipelines: { message: [{ id: 1, type: 'log', params: { message: '$template.text' } }] },
    ...more,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-watch-'));
  await mkdir(join(folder, 'channels/watched'), { recursive: true });
  await writeFile(join(folder, 'channels/watched/channel.json'), channelOf('First'));
  engine = await startEngine({
    SLUICEWAY_DATA: join(folder, 'data'),
    SLUICEWAY_CHANNELS: join(folder, 'channels'),
  });
});
afterAll(async () => {
  await engine?.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

it('takes a valid change up as a new version, and leaves the old one for a wrong change', async () => {
  const file = join(folder, 'channels/watched/channel.json');
  expect(await engine.api.get('/channels/watched')).toMatchObject({ version: 1 });
  await writeFile(file, channelOf('Second'));
  await until(async () => (await engine.api.get('/channels/watched')).version === 2);
  await writeFile(file, channelOf('Broken', { communication: 'sideways' }));
  await until(async () => engine.errors().includes('sideways'));
  await writeFile(file, channelOf('Third'));
  await until(async () => (await engine.api.get('/channels/watched')).version === 3);
});
