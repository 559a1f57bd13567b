import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelFolder } from '../../../src/channel/load.ts';
import { createDirectory } from '../../../src/flows/directory/directory.ts';
import { loadChannelFolders } from '../../../src/flows/setup/save-channels.ts';
import { channelRoutes } from '../../../src/http/routes/channels.ts';
import { pipeOf } from '../../../src/pipes/catalog.ts';
import { allChannels, findChannel } from '../../../src/storage/channels.ts';
import { acme } from '../../support/acme.ts';
import { type Api, NOW_MS, openApi } from '../../support/api.ts';
import { openTestDatabase, serverReachable } from '../../support/database.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let api: Api;
let folder = '';
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => channelRoutes(runtime, directory, () => {}));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'channels-'));
  return () => rm(folder, { recursive: true });
});
afterAll(() => api.close());

const put = async (
  sid: string,
  document: object | string,
  pipelines: Readonly<Record<string, unknown>> = {},
) => {
  await mkdir(join(folder, sid, 'pipelines'), { recursive: true });
  const text = typeof document === 'string' ? document : JSON.stringify(document, null, 2);
  await writeFile(join(folder, sid, 'channel.json'), text);
  for (const [name, pipeline] of Object.entries(pipelines)) {
    await writeFile(join(folder, sid, 'pipelines', `${name}.json`), JSON.stringify(pipeline));
  }
};
const load = (...more: ChannelFolder[]) =>
  loadChannelFolders(api.runtime, api.directory, [{ channels: folder, kind: 'custom' }, ...more]);
const version = async (sid: string) => (await findChannel(api.runtime.database, sid))?.version;

describe('loading folders of channels', () => {
  it('keeps what comes with the product, which has no mistake', async () => {
    const product = {
      channels: join(ROOT, 'channels'),
      pipelines: join(ROOT, 'pipelines'),
      kind: 'system',
    } as const;
    const loaded = await loadChannelFolders(api.runtime, api.directory, [product]);
    expect(loaded.problems).toEqual([]);
    expect(loaded.channels).toContain('telegram_bot');
    const known = await api.directory.channel('telegram_bot');
    expect(known?.row).toMatchObject({ kind: 'system', account_id: null });
    expect(known?.channel.plans.message?.entry).toBeDefined();
  });

  it('keeps the sound ones and names what is wrong with the others', async () => {
    await put(
      'in_folder',
      { ...acme, sid: 'in_folder', pipelines: { message: 'in_folder/message' } },
      acme.pipelines,
    );
    await put('lopsided', { ...acme, sid: 'lopsided', communication: 'sideways' });
    await put('torn', '{ "sid": "torn", ');
    const { channels, problems } = await load();
    expect(channels).toEqual(['in_folder']);
    expect(problems).toEqual([
      expect.stringMatching(/lopsided.channel\.json:\d+:\d+: .*sideways/),
      expect.stringMatching(/torn.channel\.json:1:\d+: This is not JSON/),
    ]);
    const known = await api.directory.channel('in_folder');
    expect(known?.channel.document.pipelines.message).toHaveLength(3);
  });

  it('makes a version where a file changed, and goes on with the one before where it broke', async () => {
    await put('edited', { ...acme, sid: 'edited' });
    await load();
    await load();
    expect(await version('edited')).toBe(1);
    await put('edited', { ...acme, sid: 'edited', name: 'Better' });
    await load();
    expect(await version('edited')).toBe(2);
    const before = (await findChannel(api.runtime.database, 'edited'))?.id ?? 0;
    await put('edited', { ...acme, sid: 'edited', id: before + 1 });
    expect((await load()).problems).toEqual([expect.stringContaining('The id never changes')]);
    expect(await version('edited')).toBe(2);
  });

  it('leaves channels of accounts alone', async () => {
    await api.call('POST /channels', { json: { ...acme, sid: 'of_account' } });
    await put('of_account', { ...acme, sid: 'of_account', name: 'Mine now' });
    expect((await load()).problems).toEqual([
      expect.stringContaining('Another channel has the sid "of_account"'),
    ]);
    expect(await version('of_account')).toBe(1);
  });

  it('gives ids around those that documents name', async () => {
    const next = Math.max(9_999, ...(await allChannels(api.runtime.database)).map((row) => row.id)) + 1;
    await put('ask_first', { ...acme, sid: 'ask_first' });
    await put('name_later', { ...acme, sid: 'name_later', id: next });
    expect((await load()).problems).toEqual([]);
    const ids = await Promise.all(
      ['ask_first', 'name_later'].map(async (sid) => (await findChannel(api.runtime.database, sid))?.id),
    );
    expect(ids).toEqual([next + 1, next]);
  });

  it('may happen several times at once', async () => {
    for (const sid of ['many_a', 'many_b', 'many_c']) await put(sid, { ...acme, sid });
    const all = await Promise.all([load(), load(), load()]);
    expect(all.flatMap((each) => each.problems)).toEqual([]);
    const rows = (await allChannels(api.runtime.database)).filter((row) => row.sid.startsWith('many_'));
    expect(rows.map((row) => row.version)).toEqual([1, 1, 1]);
    expect(new Set(rows.map((row) => row.id)).size).toBe(3);
  });
});

const reachable = await serverReachable();

describe.skipIf(!reachable)('several processes on one server', () => {
  it('load the same folder at once and agree', async () => {
    for (const sid of ['many_a', 'many_b', 'many_c']) await put(sid, { ...acme, sid });
    const opened = await openTestDatabase('server', NOW_MS);
    try {
      const databases = [opened.database, await opened.second(), await opened.second()];
      const all = await Promise.all(
        databases.map((database) => {
          const runtime = { ...api.runtime, database };
          const folders = [{ channels: folder, kind: 'custom' }] as const;
          return loadChannelFolders(runtime, createDirectory(runtime, pipeOf), folders);
        }),
      );
      expect(all.flatMap((each) => each.problems)).toEqual([]);
      const rows = await allChannels(opened.database);
      expect(rows.map((row) => [row.id, row.version])).toEqual([
        [10_000, 1],
        [10_001, 1],
        [10_002, 1],
      ]);
      const versions = await opened.database.query('select id from channel_version');
      expect(versions).toHaveLength(3);
    } finally {
      await opened.end();
    }
  });
});
