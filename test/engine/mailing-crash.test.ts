/** Kill -9 while a launch is being opened, twice: every profile gets exactly one message. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterEach, describe, expect, it } from 'vitest';
import { createServerDatabase, serverReachable } from '../support/database.ts';
import { type Engine, type Running, startEngine, startProvider, until } from '../support/engine.ts';

const PROFILES = 10_500;
const reachable = await serverReachable();
const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** People with a number that the provider takes at the first request, all subscribed. */
async function fill(sql: postgres.Sql, channelId: number): Promise<void> {
  await sql`
    insert into profile (id, account_id, external_id, fields, created_at, updated_at)
    select gen_random_uuid(), a.id, 'p-' || n, '{}', now(), now() from account a, generate_series(1, ${PROFILES}) n`;
  await sql`
    insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
    select gen_random_uuid(), p.account_id, p.id, r.id, ${channelId},
      json_build_object('phone', '+49' || lpad(substr(p.external_id, 3), 9, '0') || '55')::jsonb, 'subscribed', now(), now()
    from profile p join resource r on r.account_id = p.account_id`;
}

interface Opening {
  readonly opened: number;
  readonly opening: boolean;
}

describe.skipIf(!reachable)('killed twice while a launch is being opened', () => {
  it('each profile gets one message, and each message is sent', { timeout: 240_000 }, async () => {
    const fresh = await createServerDatabase();
    ended.push(fresh.drop);
    const provider = await startProvider(5);
    ended.push(() => provider.end('SIGKILL'));
    const settings = {
      DATABASE_URL: fresh.url,
      SLUICEWAY_ALLOW_ADDRESSES: `127.0.0.1:${provider.match}`,
      SLUICEWAY_TRAIL_SAMPLE: '1000',
    };
    let engine: Engine = await startEngine(settings);
    const last: { running: Running } = { running: engine };
    ended.push(() => last.running.end('SIGKILL'));
    const sql = postgres(fresh.url, { max: 2, onnotice: () => {} });
    ended.push(() => sql.end({ timeout: 1 }));
    await engine.api.post('/senders', {
      ...{ sid: 'main', name: 'Main', channel: 'example_sms' },
      fields: { token: 'demo-token', base_url: provider.url, webhook_secret: 'x-secret' },
    });
    const channels = { example_sms: { brand: 'TEST' } };
    await engine.api.post('/resources', { sid: 'shop', name: 'Shop', channels });
    await fill(sql, 10_001);
    const { id } = await engine.api.post('/mailings', {
      ...{ name: 'Large', channel: 'example_sms', sender: 'main', resource: 'shop' },
      ...{ template: { text: 'Hello' }, audience: { all: true } },
    });
    await engine.api.post(`/mailings/${id}/start`);

    for (const page of [1, 2]) {
      // The row of the launch is held between two pages, so that the next one is certainly under way at the kill.
      let seen: Opening | undefined;
      while (seen === undefined || seen.opened < page * 5_000) {
        await sql.begin(async (tx) => {
          [seen] = await tx<Opening[]>`select opened, opening from launch for update`;
          if (seen !== undefined && seen.opened >= page * 5_000) await engine.end('SIGKILL');
        });
      }
      expect(seen).toMatchObject({ opening: true });
      engine = await startEngine(settings);
      last.running = engine;
    }

    await until(async () => {
      await sleep(250);
      return (await engine.api.get(`/mailings/${id}`)).state === 'finished';
    });
    const mailing = await engine.api.get(`/mailings/${id}`);
    expect(mailing).toMatchObject({
      messages: PROFILES,
      expected: PROFILES,
      counts: { sent: PROFILES },
      launches: [{ opened: PROFILES, opening: false }],
    });
    const [books] = await sql<{ messages: number; profiles: number }[]>`
      select count(*)::int as messages, count(distinct profile_id)::int as profiles from message`;
    expect(books).toEqual({ messages: PROFILES, profiles: PROFILES });
    const { messages } = await provider.log();
    expect(messages).toHaveLength(PROFILES);
    expect(new Set(messages.map((message) => message.to)).size).toBe(PROFILES);

    // Anyone who watches does not keep the process from ending.
    const again = await engine.api.post(`/mailings/${id}/start`);
    const watching = await fetch(`${engine.url}/api/v1/mailings/${again.id}/progress`, {
      headers: { authorization: 'Bearer test-admin-token' },
    });
    const reader = watching.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    const code = engine.end('SIGTERM');
    for (;;) if ((await reader?.read())?.done !== false) break;
    expect(await code).toBe(0);
  });
});
