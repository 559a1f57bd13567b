/** The query builder over our own contract: what goes in and comes out is what the tables say, on both databases. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIds } from '../../src/ids.ts';
import type { Sql, SqlValue } from '../../src/storage/database.ts';
import { and, count, eq, sql } from '../../src/storage/drizzle.ts';
import { excluded, isAnyOf, jsonbText, jsonText } from '../../src/storage/expressions.ts';
import { isBefore } from '../../src/storage/page.ts';
import { account, audit, channel, profile, sender, senderRules, webhook } from '../../src/storage/schema.ts';
import { builder, type Given, rowsOf, statement } from '../../src/storage/statement.ts';
import { databaseKinds, openTestDatabase, type TestDatabase } from '../support/database.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const ids = createIds({ now: () => NOW });

/** Keeps what was asked, and answers with nothing. */
function recorded(): {
  readonly to: Sql;
  readonly texts: string[];
  readonly values: (readonly SqlValue[])[];
} {
  const texts: string[] = [];
  const values: (readonly SqlValue[])[] = [];
  const query: Sql['query'] = async (text, bound = []) => {
    texts.push(text);
    values.push(bound);
    return [];
  };
  return { to: { query }, texts, values };
}

describe('a statement', () => {
  it('is written once, with its constants as literals and its values as parameters', async () => {
    let written = 0;
    const find = statement((db, given: Given<{ sid: string; limit: number }>) => {
      written += 1;
      return db
        .select({ id: channel.id, label: channel.sid })
        .from(channel)
        .where(
          and(eq(channel.sid, given.sid), eq(channel.status, 'active'), eq(channel.kind, "it's" as 'custom')),
        )
        .limit(given.limit);
    });
    const { to, texts, values } = recorded();
    await find(to, { sid: 'one', limit: 1 });
    await find(to, { limit: 2, sid: "two'; drop table channel" });
    expect(written).toBe(1);
    expect(texts[0]).toBe(
      `select "id", "sid" as "label" from "channel" where ("channel"."sid" = $1 and "channel"."status" = 'active' and "channel"."kind" = 'it''s') limit $2`,
    );
    expect(texts[1]).toBe(texts[0]);
    expect(values).toEqual([
      ['one', 1],
      ["two'; drop table channel", 2],
    ]);
  });

  it('whose shape follows what is asked has every value as a parameter', async () => {
    const { to, texts, values } = recorded();
    await rowsOf(to, builder().select().from(account).where(eq(account.name, "it's")).limit(3));
    expect(texts).toEqual([
      'select "id", "name", "created_at" from "account" where "account"."name" = $1 limit $2',
    ]);
    expect(values).toEqual([["it's", 3]]);
  });

  it('is never run by the builder itself', async () => {
    await expect(builder().select().from(account)).rejects.toMatchObject({
      cause: { message: 'Statements are run by statement() and rowsOf().' },
    });
  });
});

describe.each(await databaseKinds())('statements on the %s database', (kind) => {
  let test: TestDatabase;
  const owner = ids.next();
  beforeAll(async () => {
    test = await openTestDatabase(kind, NOW);
    const insert = statement((db, given: Given<{ id: string; name: string; now: Date }>) =>
      db.insert(account).values({ id: given.id, name: given.name, created_at: given.now }).returning(),
    );
    expect(await insert(test.database, { id: owner, name: 'main', now: new Date(NOW) })).toEqual([
      { id: owner, name: 'main', created_at: new Date(NOW) },
    ]);
  });
  afterAll(() => test.end());

  it('take JSON as text or as a value, arrays, null and moments, and give them back as the tables say', async () => {
    const fields = { text: 'a "quoted" ü', number: 1.5, deep: { list: [1, null, true] } };
    const id = ids.next();
    const given = { id, accountId: owner, now: new Date(NOW), fields: JSON.stringify(fields) };
    const insert = statement((db, at: Given<typeof given>) =>
      db
        .insert(profile)
        .values({
          id: at.id,
          account_id: at.accountId,
          external_id: 'ann',
          fields: jsonbText(at.fields),
          created_at: at.now,
          updated_at: at.now,
        })
        .onConflictDoUpdate({
          target: [profile.account_id, profile.external_id],
          set: { fields: excluded(profile.fields) },
        })
        .returning(),
    );
    const row = {
      id,
      account_id: owner,
      external_id: 'ann',
      fields,
      created_at: new Date(NOW),
      updated_at: new Date(NOW),
    };
    expect(await insert(test.database, given)).toEqual([row]);
    expect(await insert(test.database, { ...given, fields: '{"text":"new"}' })).toEqual([
      { ...row, fields: { text: 'new' } },
    ]);
    const inline = {
      id: ids.next(),
      account_id: owner,
      external_id: 'bea',
      fields,
      created_at: new Date(NOW),
      updated_at: new Date(NOW),
    };
    expect(await rowsOf(test.database, builder().insert(profile).values(inline).returning())).toEqual([
      inline,
    ]);
    const log = {
      id: ids.next(),
      account_id: owner,
      token_id: null,
      action: 'made',
      subject: 'x',
      before: null,
      after: [fields],
      at: new Date(NOW),
      user_id: null,
    };
    expect(await rowsOf(test.database, builder().insert(audit).values(log).returning())).toEqual([log]);
    const rules = {
      account_id: owner,
      channel_id: 1,
      rules: [{ name: 'all', senders: [] }],
      routes: [1, 2],
      updated_at: new Date(NOW),
    };
    expect(await rowsOf(test.database, builder().insert(senderRules).values(rules).returning())).toEqual([
      rules,
    ]);
  });

  it('count in numbers, ask for any of many, and page by ids', async () => {
    const countOf = statement((db, given: Given<{ ids: readonly string[]; before: string | null }>) =>
      db
        .select({ total: count(), at: sql<Date>`min(${account.created_at})` })
        .from(account)
        .where(and(isAnyOf(account.id, given.ids), isBefore(account.id, given.before))),
    );
    const one = { total: 1, at: new Date(NOW) };
    expect(await countOf(test.database, { ids: [owner, ids.next()], before: null })).toEqual([one]);
    expect(await countOf(test.database, { ids: [owner], before: ids.next() })).toEqual([one]);
    expect(await countOf(test.database, { ids: [owner], before: owner })).toEqual([{ total: 0, at: null }]);
    expect(await countOf(test.database, { ids: [], before: null })).toEqual([{ total: 0, at: null }]);
  });

  it('join under the names of their members, null if nothing is joined', async () => {
    const joined = statement((db, given: Given<{ name: string }>) =>
      db
        .select({ account: account.name, sender: sender.name, events: webhook.events })
        .from(account)
        .leftJoin(sender, eq(sender.account_id, account.id))
        .leftJoin(webhook, eq(webhook.account_id, account.id))
        .where(eq(account.name, given.name)),
    );
    expect(await joined(test.database, { name: 'main' })).toEqual([
      { account: 'main', sender: null, events: null },
    ]);
  });

  it('take a JSON text for a json column, and null', async () => {
    const insert = statement(
      (db, given: Given<{ id: string; accountId: string; now: Date; after: string | null }>) =>
        db
          .insert(audit)
          .values({
            id: given.id,
            account_id: given.accountId,
            action: 'a',
            subject: 's',
            after: jsonText(given.after),
            at: given.now,
          })
          .returning({ after: audit.after }),
    );
    const now = new Date(NOW);
    expect(
      await insert(test.database, { id: ids.next(), accountId: owner, now, after: '{"a":[1]}' }),
    ).toEqual([{ after: { a: [1] } }]);
    expect(await insert(test.database, { id: ids.next(), accountId: owner, now, after: null })).toEqual([
      { after: null },
    ]);
  });
});
