/** Processes whose machines disagree by hours about the time, on one PostgreSQL server: they go by that of the server. */
import { afterEach, expect, it } from 'vitest';
import { createServerDatabase, serverReachable } from '../support/database.ts';
import { type Engine, startEngine, startProvider, until } from '../support/engine.ts';

const HOUR_MS = 3_600_000;
const PHONE = '+4900000000155';
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Read by the process first: its machine's clock is off by so much. */
const offBy = (ms: number) => {
  const code = `const now = Date.now; Date.now = () => now() + ${ms};`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
};

it.skipIf(!(await serverReachable())).each([
  ['slow', -2, 'fast', 2],
  ['fast', 2, 'slow', -2],
] as const)(
  'accepted by a %s one (%i hours), sent by a %s one (%i hours)',
  { timeout: 120_000 },
  async (_api, apiHours, _worker, workerHours) => {
    const fresh = await createServerDatabase();
    ends.push(fresh.drop);
    const provider = await startProvider(1);
    ends.push(() => provider.end('SIGKILL'));
    const start = async (roles: string, hours: number): Promise<Engine> => {
      const engine = await startEngine({
        DATABASE_URL: fresh.url,
        SLUICEWAY_ROLES: roles,
        SLUICEWAY_ALLOW_ADDRESSES: `127.0.0.1:${provider.match}`,
        ...offBy(hours * HOUR_MS),
      });
      ends.push(() => engine.end('SIGKILL'));
      return engine;
    };
    const { api } = await start('api', apiHours);
    await start('worker', workerHours);
    const channel = 'example_sms';
    await api.post('/senders', {
      sid: 'main',
      name: 'Main',
      channel,
      fields: { token: 'demo-token', base_url: provider.url, webhook_secret: 'x-secret' },
    });
    await api.post('/resources', { sid: 'shop', name: 'Shop', channels: { [channel]: { brand: 'TEST' } } });
    const { id } = await api.post('/messages', {
      channel,
      resource: 'shop',
      profile: { externalId: 'p-1', subscription: { fields: { phone: PHONE } } },
      template: { text: 'Hello' },
      // An hour is left, and there is none if the clock is fast.
      expiresAt: new Date(Date.now() + HOUR_MS).toISOString(),
    });
    let view = await api.get(`/messages/${id}`);
    await until(async () => {
      view = await api.get(`/messages/${id}`);
      return !['accepted', 'queued', 'sending'].includes(view.state);
    });
    expect(view.state).toBe('sent');
    for (const event of view.events) {
      expect(Math.abs(Date.parse(event.time) - Date.now())).toBeLessThan(HOUR_MS);
    }
    expect(view.events.length).toBeGreaterThan(0);
  },
);
