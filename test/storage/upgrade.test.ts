/** Migrations: onto nothing, onto the database of the first version in full use, and onto books in which a late one is missing. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createVault } from '../../src/access/vault.ts';
import { checkChannel } from '../../src/channel/check.ts';
import { createIds } from '../../src/ids.ts';
import { encodeValue } from '../../src/json.ts';
import type { Database } from '../../src/storage/database.ts';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { makePartitions, migrate } from '../../src/storage/migrate.ts';
import { openServer } from '../../src/storage/server.ts';
import { startNode } from '../support/corridor-node.ts';
import { createServerDatabase, databaseKinds } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { startScripted } from '../support/start-scripted.ts';

const FOLDER = new URL('../../src/storage/migrations/', import.meta.url);
const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort();
const textOf = (number: number) =>
  readFile(new URL(files.find((name) => Number.parseInt(name, 10) === number) ?? '', FOLDER), 'utf8');
const versionsOf = async (database: Database) =>
  (await database.query<{ version: number }>('select version from schema_version order by version')).map(
    ({ version }) => version,
  );

async function open(kind: 'embedded' | 'server'): Promise<{ database: Database; end: () => Promise<void> }> {
  if (kind === 'embedded') {
    const database = await openEmbedded();
    return { database, end: database.close };
  }
  const fresh = await createServerDatabase();
  const database = await openServer({ url: fresh.url, connections: 4 });
  const end = async () => {
    await database.close();
    await fresh.drop();
  };
  return { database, end };
}

/** Books to which these migrations were applied. */
async function applied(database: Database, ...numbers: number[]): Promise<void> {
  await database.script(
    'create table schema_version (version int primary key, applied_at timestamptz not null default now())',
  );
  for (const number of numbers) {
    await database.script(await textOf(number));
    await database.query('insert into schema_version (version) values ($1)', [number]);
  }
}

/** Everything that the migrations make, but for the order of columns. */
async function schemaOf(database: Database): Promise<unknown> {
  return {
    columns: await database.query(
      `select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
       where table_schema = 'public' order by 1, 2`,
    ),
    indexes: await database.query(`select indexdef from pg_indexes where schemaname = 'public' order by 1`),
    constraints: await database.query(
      `select conrelid::regclass::text as of, conname, pg_get_constraintdef(oid) as text from pg_constraint
       where connamespace = 'public'::regnamespace order by 1, 2`,
    ),
    functions: await database.query(
      `select p.oid::regprocedure::text as name, pg_get_functiondef(p.oid) as text from pg_proc p
       where pronamespace = 'public'::regnamespace order by 1`,
    ),
  };
}

const CHANNEL = {
  sid: 'old_sms',
  name: 'Old',
  type: 'sms',
  communication: 'direct',
  limits: { requests: 100, per: 1 },
  events: [
    { sid: 'accepted', name: 'accepted', color: '#607d8b', type: 'send' },
    { sid: 'delivered', name: 'delivered', color: '#607d8b', type: 'deliv' },
  ],
  listener: {},
  fields: {
    sender: [
      { field: 'token', type: 'string', name: 'Token', required: true, secret: true },
      { field: 'base_url', type: 'url', name: 'Address', required: true },
    ],
    subscription: [{ field: 'phone', type: 'string', name: 'Phone', required: true }],
    template: [{ field: 'text', type: 'text', name: 'Text', required: true }],
  },
  pipelines: {
    message: [
      {
        id: 1,
        type: 'pack',
        params: {
          template: {
            to: '$subscription.phone',
            text: '$template.text',
            reference: '$origin.send_message_id',
          },
        },
        outs: { success: 2 },
      },
      {
        id: 2,
        type: 'http_request',
        params: {
          url: '$sender.base_url/send',
          method: 'POST',
          content_type: 'json',
          auth_type: 'bearer',
          auth_token: '$sender.token',
        },
        outs: { success: 3 },
      },
      { id: 3, type: 'unpack', outs: { success: 4 } },
      { id: 4, type: 'event', params: { sid: 'accepted', event: { external_id: '$in.data.id' } } },
    ],
    listener: [
      { id: 1, type: 'unpack', outs: { success: 2 } },
      { id: 2, type: 'event', params: { sid: 'delivered', event: { external_id: '$in.data.id' } } },
    ],
  },
};

const clock = { now: Date.now };
const keys = [createHash('sha256').update('key of the tests').digest()];

/** The first version in full use: written as it wrote, by the columns it had. */
async function fill(database: Database, providerUrl: string) {
  const ids = createIds(clock);
  const [account, resource, sender, mailing, launch] = [1, 2, 3, 4, 5].map(() => ids.next());
  const [waiting, sent, failed, early] = [1, 2, 3, 4].map(() => ids.next());
  const [ann, bob] = [1, 2].map((each) => ({
    name: `p${each}`,
    profile: ids.next(),
    subscription: ids.next(),
  }));
  const token = JSON.stringify(createVault(keys).seal('secret-token-main', new Date().toISOString()));
  const checked = checkChannel(
    { file: 'channel.json', text: JSON.stringify(CHANNEL), kind: 'custom', pipelines: () => undefined },
    {},
  );
  const { document } = checked;
  if (document === undefined) throw new Error(JSON.stringify(checked.findings));
  const lane = `(select id from lane where key = '${document.id}/${account}/${sender}/-/out')`;
  const version = `(select id from channel_version where channel_id = ${document.id})`;
  const text = (value: unknown) => `'${JSON.stringify(value).replaceAll("'", "''")}'`;
  const message = (id: string | undefined, state: number, person: typeof ann, more = 'null, null') =>
    `('${id}', '${account}', ${document.id}, ${version}, ${lane}, '${person?.profile}', '${person?.subscription}',
      '${resource}', '${sender}', ${state}, 'transactional', ${text({ values: { text: 'Hello' } })}, now(), ${more})`;
  const hash = createHash('sha256').update('an-old-token').digest('hex');
  await database.script(`
    insert into account values ('${account}', 'main', now());
    insert into token (id, account_id, name, role, hash, created_at)
      values ('${ids.next()}', '${account}', 'old', 'viewer', '${hash}', now());
    insert into channel (id, sid, kind, account_id, version_id, created_at, updated_at)
      values (${document.id}, 'old_sms', 'custom', '${account}', 0, now(), now());
    insert into channel_version (channel_id, version, document, hash, created_at)
      values (${document.id}, 1, ${text(document)}, 'h', now());
    update channel set version_id = ${version};
    insert into sender values ('${sender}', '${account}', 'main', 'Main', ${document.id},
      ${text({ base_url: providerUrl, token: JSON.parse(token) })}, now(), now());
    insert into resource values ('${resource}', '${account}', 'shop', 'Shop', '{}', now(), now());
    ${[ann, bob]
      .map(
        (
          each,
          index,
        ) => `insert into profile values ('${each?.profile}', '${account}', '${each?.name}', '{}', now(), now());
    insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
      values ('${each?.subscription}', '${account}', '${each?.profile}', '${resource}', ${document.id},
        ${text({ phone: `+491510000000${index}` })}, 'subscribed', now(), now());`,
      )
      .join('\n')}
    insert into lane (key, account_id, channel_id, sender_id, created_at)
      values ('${document.id}/${account}/${sender}/-/out', '${account}', ${document.id}, '${sender}', now());
    insert into lane (key, account_id, channel_id, sender_id, created_at) values ('engine', null, 0, null, now());
    insert into message (id, account_id, channel_id, channel_version_id, lane_id, profile_id, subscription_id,
      resource_id, sender_id, state, class, content, updated_at, reason, external_id) values
      ${message(waiting, 10, ann)}, ${message(sent, 40, ann, "null, 'p-sent'")},
      ${message(failed, 110, bob, "'HTTP_STATUS_503', null")}, ${message(early, 40, bob, "null, 'p-early'")};
    insert into external_id values (${document.id}, 'p-sent', '${sent}', 1), (${document.id}, 'p-early', '${early}', 1);
    insert into event (id, account_id, message_id, channel_id, event_id, type, attempt, time)
      values ('${ids.next()}', '${account}', '${sent}', ${document.id}, 1, 'send', 1, now());
    insert into attempt values ('${ids.next()}', '${account}', '${sent}', 1, 'done', '[]'),
      ('${ids.next()}', '${account}', '${failed}', 1, 'failed', '[]');
    insert into parked_event values ('${ids.next()}', ${document.id}, null, '${account}', 'p-early', null,
      ${text({ eventId: 2, type: 'deliv', timeMs: Date.now(), code: null, text: null, value: null, dedupeKey: null })}, now());
    insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
      values ('${waiting}', '${account}', ${lane}, now(), 1, '${waiting}', ${version});
    insert into mailing (id, account_id, name, channel_id, sender_id, resource_id, content, fields, audience, class, state,
      created_at, updated_at) values ('${mailing}', '${account}', 'June', ${document.id}, '${sender}', '${resource}',
      ${text({ text: 'June' })}, '{}', '{ "all": true }', 'marketing', 'sending', now(), now());
    insert into launch (id, mailing_id, account_id, number, kind, channel_version_id, sender_id, resource_id, content, fields,
      audience, class, opening, state, started_at) values ('${launch}', '${mailing}', '${account}', 1, 'real', ${version},
      '${sender}', '${resource}', ${text({ text: 'June' })}, '{}', '{ "all": true }', 'marketing', true, 'sending', now());
    insert into waiting (id, account_id, lane_id, due_at, pipeline, channel_version_id, payload)
      values ('${ids.next()}', '${account}', (select id from lane where key = 'engine'), now(), 10, ${version},
        '${encodeValue({ launchId: launch })}');
    insert into rate_slot values ('${document.id}/channel//', now());
    insert into seen values ('request/1', 'k', now());
    insert into idempotency values ('${account}', 'key', 'hash', 202, '{}', now());
    insert into audit values ('${ids.next()}', '${account}', null, 'channels.create', 'channels/old_sms', null, null, now());
    insert into setting values ('some', 'thing');`);
  return {
    waiting: waiting ?? '',
    sent: sent ?? '',
    failed: failed ?? '',
    early: early ?? '',
    mailing: mailing ?? '',
  };
}

const kinds = await databaseKinds();

describe.each(kinds)('migrations, %s', (kind) => {
  it('make the database where there are none, once', async () => {
    const { database, end } = await open(kind);
    try {
      expect(await migrate(database)).toBe(files.length);
      expect(await migrate(database)).toBe(0);
      expect(await versionsOf(database)).toEqual(files.map((name) => Number.parseInt(name, 10)));
    } finally {
      await end();
    }
  });

  it('refuse books that are newer than the program', async () => {
    const { database, end } = await open(kind);
    try {
      await migrate(database);
      await database.query('insert into schema_version (version) values (9001)');
      await expect(migrate(database)).rejects.toMatchObject({ code: 'CONFLICT' });
    } finally {
      await end();
    }
  });

  it('apply one that comes late with a lower number', async () => {
    const [fresh, holed] = [await open(kind), await open(kind)];
    try {
      await migrate(fresh.database);
      await applied(holed.database, 1, 2, 7);
      expect(await migrate(holed.database)).toBe(files.length - 3);
      expect(await versionsOf(holed.database)).toEqual(await versionsOf(fresh.database));
      expect(await schemaOf(holed.database)).toEqual(await schemaOf(fresh.database));
    } finally {
      await fresh.end();
      await holed.end();
    }
  });

  it('bring the database of the first version along, and what was under way goes on', async () => {
    const { database, end } = await open(kind);
    const provider = await startScripted();
    try {
      await applied(database, 1);
      await makePartitions(database, clock.now());
      const there = await fill(database, provider.url);
      await migrate(database);
      await makePartitions(database, clock.now());
      const errors: string[] = [];
      const log = {
        debug: () => {},
        info: () => {},
        warn: () => {},
        error: (_fields: object, line: string) => errors.push(line),
      };
      const node = await startNode(database, { clock, log, keys }, {});
      try {
        const state = async (id: string) => (await node.api(`GET /messages/${id}`)).body.state;
        await until(async () => (await state(there.waiting)) === 'sent');
        await node.housekeeping.joinParked(0);
        await until(async () => (await state(there.early)) === 'delivered');
        expect((await node.listen('old_sms/1/main', { body: JSON.stringify({ id: 'p-sent' }) })).status).toBe(
          200,
        );
        await until(async () => (await state(there.sent)) === 'delivered');
        const redriven = await node.api('POST /messages/redrive', { reason: 'HTTP_STATUS_503' });
        expect(redriven.body).toEqual({ redriven: 1 });
        await until(async () => (await state(there.failed)) === 'sent');
        expect((await node.api(`GET /messages/${there.failed}`)).body).toMatchObject({
          attempt: 2,
          sender: 'main',
          rule: null,
          attempts: [{ number: 1 }, { number: 2, sender: 'main' }],
        });
        await until(async () => {
          await node.housekeeping.finish();
          return (await node.api(`GET /mailings/${there.mailing}`)).body.state === 'finished';
        });
        const texts = (await provider.log()).map((each) => JSON.parse(each.body).text).sort();
        expect(texts).toEqual(['Hello', 'Hello', 'June', 'June']);
        const asViewer = { authorization: 'Bearer an-old-token' };
        expect((await node.api('GET /lanes', undefined, asViewer)).status).toBe(200);
        expect((await node.api('POST /messages/redrive', { state: 'failed' }, asViewer)).status).toBe(403);
        expect(errors).toEqual([]);
      } finally {
        await node.stop();
      }
    } finally {
      await provider.end();
      await end();
    }
  });
});
