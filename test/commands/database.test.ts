/** Commands that open the database of the settings themselves: migrate, token create, user create, keys rotate. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPasswords } from '../../src/access/passwords.ts';
import { hashToken } from '../../src/access/tokens.ts';
import { createVault, openFields } from '../../src/access/vault.ts';
import type { Database } from '../../src/storage/database.ts';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { insertUser } from '../../src/storage/users.ts';
import { makeEmbedded } from '../support/embedded-image.ts';
import { failureOfCommand, runCommand } from './run.ts';

const OLD = randomBytes(32).toString('base64');
const NEW = randomBytes(32).toString('base64');
const SET_AT = '2026-01-01T00:00:00.000Z';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-database-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const settings = (keys = OLD) => ({ SLUICEWAY_DATA: folder, SLUICEWAY_SECRET_KEY: keys });

/** Opens the database while no command has it. */
async function inDatabase<T>(run: (database: Database) => Promise<T>): Promise<T> {
  const database = await openEmbedded(join(folder, 'database'));
  try {
    return await run(database);
  } finally {
    await database.close();
  }
}

describe('sluiceway migrate', () => {
  it('brings an empty folder to the schema, and then has nothing to do', async () => {
    const first = await runCommand(['migrate'], settings());
    expect(first.code).toBe(0);
    expect(first.output).toMatch(/^embedded database in .*: \d+ migrations? (was|were) applied\n$/);
    expect((await runCommand(['migrate', '--json'], settings())).output).toBe('{\n  "applied": 0\n}\n');
    const [table] = await inDatabase((database) =>
      database.query<{ found: string | null }>("select to_regclass('message')::text as found"),
    );
    expect(table?.found).toBe('message');
  });

  it('names every mistake of the settings, and does not stumble over the token of other commands', async () => {
    const wrong = { ...settings('short'), SLUICEWAY_PROT: '1' };
    const message = await failureOfCommand(['migrate'], wrong);
    expect(message).toContain('SLUICEWAY_SECRET_KEY must hold keys of 32 bytes');
    expect(message).toContain('SLUICEWAY_PROT is not a setting');
    expect((await runCommand(['migrate'], { ...settings(), SLUICEWAY_TOKEN: 't' })).code).toBe(0);
  });
});

describe('sluiceway token create', () => {
  beforeEach(() => makeEmbedded(join(folder, 'database')));

  it('prints a token once, which is kept as a hash and in the audit', async () => {
    const { code, output } = await runCommand(
      ['token', 'create', '--name', 'ci', '--role', 'editor', '--json'],
      settings(),
    );
    expect(code).toBe(0);
    const { id, token, account } = JSON.parse(output);
    expect(account).toBe('main');
    const { rows, audit } = await inDatabase(async (database) => ({
      rows: await database.query('select name, role, revoked_at from token where id = $1 and hash = $2', [
        id,
        hashToken(token),
      ]),
      audit: await database.query<{ text: string }>('select audit::text as text from audit'),
    }));
    expect(rows).toEqual([{ name: 'ci', role: 'editor', revoked_at: null }]);
    expect(audit).toHaveLength(1);
    expect(audit[0]?.text).not.toContain(token);
  });

  it('takes an account by name, and says which there are', async () => {
    const args = ['token', 'create', '--name', 'ci', '--role', 'viewer'];
    const first = await runCommand(args, settings());
    expect(first.output).toMatch(
      /^A token with the role viewer of admin@localhost in the account "main", shown this once:\nslw_\S+\n$/,
    );
    expect((await runCommand([...args, '--account', 'main'], settings())).code).toBe(0);
    expect(await failureOfCommand([...args, '--account', 'mian'], settings())).toBe(
      'There is no account "mian"; there are: "main". Did you mean "main"?',
    );
    expect(await failureOfCommand([...args.slice(0, -1), 'root'], settings())).toContain(
      'The role is one of viewer, editor, admin, not "root".',
    );
  });

  it('takes a user by email, with at most the role of that user', async () => {
    const args = ['token', 'create', '--name', 'ci', '--role', 'viewer', '--user', 'Ed@example.com'];
    expect(await failureOfCommand(args, settings())).toContain('There is no user "Ed@example.com"');
    const userId = await inDatabase(async (database) => {
      const [account] = await database.query<{ id: string }>('select id from account');
      const user = { id: '018f0000-0000-7000-8000-000000000009', accountId: account?.id ?? '', name: 'Ed' };
      const given = {
        ...user,
        email: 'ed@example.com',
        role: 'editor',
        passwordHash: null,
        nowMs: 0,
      } as const;
      await insertUser(database, given);
      return user.id;
    });
    expect((await runCommand(args, settings())).output).toContain('role viewer of ed@example.com');
    const asAdmin = args.map((each) => (each === 'viewer' ? 'admin' : each));
    expect(await failureOfCommand(asAdmin, settings())).toContain('at most the role of its user');
    const owners = await inDatabase((database) => database.query('select user_id from token'));
    expect(owners).toEqual([{ user_id: userId }]);
  });
});

describe('sluiceway user create', () => {
  beforeEach(() => makeEmbedded(join(folder, 'database')));

  const args = ['user', 'create', '--email', 'ann@example.com', '--role', 'admin'];
  interface Kept {
    readonly email: string;
    readonly name: string;
    readonly role: string;
    readonly password_hash: string;
  }
  const kept = () =>
    inDatabase(async (database) => ({
      users: await database.query<Kept>('select email, name, role, password_hash from app_user'),
      audit: await database.query<{ action: string; text: string }>(
        'select action, audit::text as text from audit',
      ),
    }));

  it('prints a password once, which is kept as a hash and nowhere else', async () => {
    const { code, output } = await runCommand(args, settings());
    expect(code).toBe(0);
    const [, password = ''] =
      /^The user ann@example\.com with the role admin was made in the account "main"\.\nThe password, shown this once:\n(\S{24})\n$/.exec(
        output,
      ) ?? [];
    const { users, audit } = await kept();
    expect(users).toMatchObject([{ email: 'ann@example.com', name: 'ann@example.com', role: 'admin' }]);
    expect(await createPasswords().check(password, users[0]?.password_hash ?? '')).toBe(true);
    expect(audit.map(({ action }) => action)).toEqual(['users.create']);
    expect(audit[0]?.text).not.toContain(password);
    expect(await failureOfCommand(args, settings())).toContain('There is already a user "ann@example.com".');
  });

  it('reads a password from standard input, and does not show it', async () => {
    const read = [...args, '--name', 'Ann', '--password-stdin', '--json'];
    const { output } = await runCommand(read, settings(), undefined, 'correct horse battery\n');
    expect(JSON.parse(output)).toEqual({
      ...{ id: expect.any(String), account: 'main', email: 'ann@example.com', name: 'Ann', role: 'admin' },
    });
    const { users } = await kept();
    const [user] = users;
    expect(await createPasswords().check('correct horse battery', user?.password_hash ?? '')).toBe(true);
  });

  it('refuses what the API refuses, before the database is opened', async () => {
    const refused = async (given: readonly string[], input: string): Promise<string> => {
      const { output } = await runCommand([...given, '--json'], settings(), undefined, input);
      expect(output).not.toContain('short-one');
      return output;
    };
    expect(await refused([...args, '--password-stdin'], 'short-one')).toContain('/password');
    expect(await refused(args.with(3, 'ann'), '')).toContain('/email');
    expect(await refused([...args.slice(0, -1), 'root'], '')).toContain('one of viewer, editor, admin');
    expect(await refused([...args, '--password-stdin'], 'ann@example.com')).toContain(
      'must not be the email',
    );
  });
});

describe('sluiceway keys rotate', () => {
  const account = '018f0000-0000-7000-8000-000000000001';
  const rowId = (index: number) => `018f0000-0000-7000-8000-${String(index).padStart(12, '0')}`;

  /** Secrets of every kind, under the old key: more senders than go into one batch, one of each other. */
  async function fill(database: Database): Promise<void> {
    const vault = createVault([Buffer.from(OLD, 'base64')]);
    const sealed = (text: string) => vault.seal(text, SET_AT);
    const fields = (index: number) => JSON.stringify({ token: sealed(`token-${index}`), region: 'eu' });
    const at = new Date(SET_AT);
    const add = (into: string, values: Parameters<Database['query']>[1]) => database.query(into, values);
    await add('insert into account values ($1, $2, $3)', [account, 'acme', at]);
    const indices = Array.from({ length: 450 }, (_, index) => index + 1);
    await add(
      `insert into sender
       select id, $4, sid, sid, 100, fields::jsonb, $5, $5
       from unnest($1::uuid[], $2::text[], $3::text[]) as row (id, sid, fields)`,
      [indices.map(rowId), indices.map((index) => `s${index}`), indices.map(fields), account, at],
    );
    await add('insert into resource values ($1, $2, $3, $3, $4::text::jsonb, $5, $5)', [
      rowId(1),
      account,
      'shop',
      JSON.stringify({ acme: { pin: sealed('pin') }, other: { brand: 'x' } }),
      at,
    ]);
    await add('insert into connector values ($1, $2, $3, $3, $4::text::jsonb, $5, $5)', [
      rowId(1),
      account,
      'books',
      JSON.stringify({ host: 'db.example', password: sealed('password') }),
      at,
    ]);
    await add('insert into provider_config values ($1, 100, $2::text::jsonb, $3)', [account, fields(0), at]);
    await add('insert into profile values ($1, $2, $3, $4::text::jsonb, $5, $5)', [
      rowId(1),
      account,
      'c-1',
      '{}',
      at,
    ]);
    await add(
      "insert into subscription values ($1, $2, $1, $1, 100, $3::text::jsonb, 'subscribed', null, $4, $4)",
      [rowId(1), account, fields(1), at],
    );
    const record = 'insert into store_record values ($1, 100, $2, $3, $4, $5)';
    await add(record, [account, '~token', 'oauth2:1', JSON.stringify(sealed('granted')), at]);
    // What an author stores is not ours to open, whatever it looks like.
    await add(record, [account, 'default', 'mine', '{"$secret":"not one of ours"}', at]);
    await add('insert into idempotency values ($1, $2, $3, 201, $4, $5)', [
      account,
      'k-1',
      'hash',
      JSON.stringify(sealed('answer')),
      at,
    ]);
    await add("insert into setting values ('address_key', $1)", [JSON.stringify(sealed('hash key'))]);
    await add("insert into lane (key, channel_id, created_at) values ('lane', 100, $1)", [at]);
    await add(
      `insert into webhook (id, account_id, url, events, secrets, lane_id, created_at, updated_at)
       select $1, $2, 'https://ops.example', '{*}', $3::text::jsonb, id, $4, $4 from lane`,
      [rowId(1), account, JSON.stringify({ current: sealed('signing'), previous: sealed('signed') }), at],
    );
    await add(
      `insert into content_source (id, account_id, name, provider, config, sync_mode, auto_publish, mappings, channel_type,
         status, failures, created_at, updated_at)
       values ($1, $2, 'Blog', 'wordpress', $3::text::jsonb, 'webhook', false, '{}', 'sms_text', 'active', 0, $4, $4)`,
      [rowId(1), account, fields(3), at],
    );
    await add(
      `insert into waiting (id, lane_id, due_at, pipeline, channel_version_id, payload)
       select $1, id, $2, 1, 1, $3 from lane`,
      [rowId(1), at, JSON.stringify(sealed('payload'))],
    );
    await add(
      `insert into listener_request (id, channel_id, channel_version_id, lane_id, pipeline, pipe, state, reason, message,
         runs, payload, registered, received_at, failed_at, announced)
       select $1, 1, 1, id, 3, 1, 'failed', 'PARSE_FAILED', 'x', 1, $3, '[]', $2, $2, true from lane`,
      [rowId(1), at, JSON.stringify(sealed('request'))],
    );
  }

  beforeEach(async () => {
    await makeEmbedded(join(folder, 'database'));
    await inDatabase(fill);
  });

  it('encrypts every secret again, after which the old key is not needed and nothing is left to do', async () => {
    const { code, output } = await runCommand(['keys', 'rotate'], settings(`${NEW},${OLD}`));
    expect(code).toBe(0);
    expect(output.split('\n').slice(0, -2)).toEqual([
      'senders: 450 of 450 encrypted again',
      'resources: 1 of 1 encrypted again',
      'content sources: 1 of 1 encrypted again',
      'connectors: 1 of 1 encrypted again',
      'webhooks: 1 of 1 encrypted again',
      'provider settings: 1 of 1 encrypted again',
      'subscriptions: 1 of 1 encrypted again',
      'tokens of providers: 1 of 1 encrypted again',
      'keys of the installation: 1 of 1 encrypted again',
      'kept answers: 1 of 1 encrypted again',
      'waiting events: 1 of 1 encrypted again',
      'failed requests of providers: 1 of 1 encrypted again',
    ]);
    const vault = createVault([Buffer.from(NEW, 'base64')]);
    await inDatabase(async (database) => {
      const senders = await database.query<{ sid: string; fields: Record<string, unknown> }>(
        'select sid, fields from sender',
      );
      expect(senders).toHaveLength(450);
      for (const { sid, fields } of senders) {
        expect(openFields(vault, fields).values).toEqual({ token: `token-${sid.slice(1)}`, region: 'eu' });
        expect(fields.token).toMatchObject({ setAt: SET_AT });
      }
      const [resource] = await database.query<{ channels: Record<string, Record<string, unknown>> }>(
        'select channels from resource',
      );
      expect(openFields(vault, resource?.channels.acme ?? {}).values).toEqual({ pin: 'pin' });
      expect(resource?.channels.other).toEqual({ brand: 'x' });
      const [webhook] = await database.query<{ secrets: Record<string, unknown> }>(
        'select secrets from webhook',
      );
      expect(openFields(vault, webhook?.secrets ?? {}).values).toEqual({
        current: 'signing',
        previous: 'signed',
      });
      const texts = await database.query<{ text: string }>(
        `select value as text from store_record where table_name = '~token'
         union all select answer from idempotency union all select payload from waiting
         union all select payload from listener_request`,
      );
      expect(texts.map(({ text }) => vault.open(JSON.parse(text)))).toEqual([
        'granted',
        'answer',
        'payload',
        'request',
      ]);
      const [own] = await database.query("select value from store_record where table_name = 'default'");
      expect(own).toEqual({ value: '{"$secret":"not one of ours"}' });
      // Claims skip rows that are held, so every node is told to look again.
      expect(await database.query('select epoch from lane')).toEqual([{ epoch: 1 }]);
    });
    const again = await runCommand(['keys', 'rotate', '--json'], settings(NEW));
    expect(again.code).toBe(0);
    const { places } = JSON.parse(again.output) as { places: { changed: number; rows: number }[] };
    expect(places.map(({ rows, changed }) => [rows, changed])).toEqual([[450, 0], ...Array(11).fill([1, 0])]);
  });

  it('has exit code 1 where a key is missing, and leaves those secrets as they are', async () => {
    const { code, output } = await runCommand(['keys', 'rotate'], settings(NEW));
    expect(code).toBe(1);
    expect(output).toContain(
      'senders: 0 of 450 encrypted again, 450 cannot be read\n  A secret was encrypted with key ',
    );
    expect(output).toMatch(/Add the missing keys after the current one and run this again\.\n$/);
    expect((await runCommand(['keys', 'rotate'], settings(`${NEW},${OLD}`))).code).toBe(0);
  });
});
