/** The disk of the embedded database is full: nobody is told that something is kept which is not, and all goes on later. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startEngine, until } from '../support/engine.ts';
import { startScripted } from '../support/start-scripted.ts';
import { channelOf, writeChannels } from './channels.ts';
import { createTally } from './tally.ts';

const DISK = '160m';
const CALLS_AT_MOST = 2_000;
const IN_CALL = 50;
const tally = createTally();
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A small disk of its own, or undefined if this process may not mount one. */
async function smallDisk(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'sluiceway-test', folder], {
      stdio: 'ignore',
    });
  } catch {
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
  ends.push(async () => {
    execFileSync('umount', [folder]);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

it('a full disk on the embedded database', { timeout: 180_000 }, async (context) => {
  const disk = await smallDisk();
  if (disk === undefined) {
    context.skip('this process may not mount a small disk');
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-full-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  await writeChannels(folder, 10);
  const provider = await startScripted();
  ends.push(provider.end);
  const settings = {
    SLUICEWAY_DATA: disk,
    SLUICEWAY_CHANNELS: folder,
    SLUICEWAY_ALLOW_ADDRESSES: new URL(provider.url).host,
  };
  let engine = await startEngine(settings);
  ends.push(() => engine.end('SIGKILL'));
  await engine.api.post('/resources', { sid: 'shop', name: 'Shop', channels: {} });
  await engine.api.post('/senders', {
    sid: 'main',
    name: 'Main',
    channel: channelOf('safe'),
    fields: { token: 'secret-token', base_url: `${provider.url}/safe` },
  });
  const acknowledged: string[] = [];
  let people = 0;
  const send = async () => {
    const messages = Array.from({ length: IN_CALL }, () => {
      people += 1;
      return {
        channel: channelOf('safe'),
        resource: 'shop',
        profile: {
          externalId: `p-${people}`,
          fields: { note: 'x'.repeat(2_000) },
          subscription: { fields: { phone: `+49151${people}` } },
        },
        template: { text: 'Hello' },
      };
    });
    const { results } = await engine.api.post('/messages', { messages });
    for (const { id } of results as { id?: string }[]) if (id !== undefined) acknowledged.push(id);
  };
  await send();

  const ballast = join(disk, 'ballast');
  const { bavail, bsize } = await statfs(disk);
  await writeFile(ballast, Buffer.alloc(bavail * bsize - 2 * 1_048_576));
  let refusal = '';
  for (let call = 0; call < CALLS_AT_MOST && refusal === ''; call += 1) {
    await send().catch((thrown: Error) => {
      refusal = thrown.message;
    });
  }
  tally.fault('disk full');
  expect(refusal).toMatch(/^POST \/messages: 503 The disk of the database is full\. Make room there/);

  await rm(ballast);
  const sent = async () => (await engine.api.get('/messages?state=sent&limit=1')).pagination.total as number;
  // The same process goes on by itself; and a new one finds it all.
  await until(async () => (await sent()) >= acknowledged.length);
  await engine.end('SIGKILL');
  engine = await startEngine(settings);
  expect(await sent()).toBeGreaterThanOrEqual(acknowledged.length);
  const taken = new Set((await provider.log()).map((each) => each.reference));
  expect(acknowledged.filter((id) => !taken.has(id))).toEqual([]);
  tally.run();
  console.log(tally.line());
});
