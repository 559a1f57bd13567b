/** Channels and their versions. */
import type { SQL } from 'drizzle-orm';
import type { Sql } from './database.ts';
import { and, asc, count, eq, inArray, isNull, or, sql } from './drizzle.ts';
import { excluded, jsonbText } from './expressions.ts';
import { totalOf } from './page.ts';
import { channel, channelVersion, mailing, providerConfig, waiting } from './schema.ts';
import { type Builder, type Given, type Row, statement } from './statement.ts';

type Version = Row<typeof channelVersion>;

/** A channel with its newest version. */
export type ChannelRow = Omit<Row<typeof channel>, 'deleted_at'> &
  Pick<Version, 'version' | 'hash' | 'document'>;

/** The channels that are not deleted, with their newest versions. */
const selectChannels = (db: Builder, condition?: SQL) =>
  db
    .select({
      id: channel.id,
      sid: channel.sid,
      kind: channel.kind,
      account_id: channel.account_id,
      status: channel.status,
      version_id: channel.version_id,
      version: channelVersion.version,
      hash: channelVersion.hash,
      document: channelVersion.document,
      created_at: channel.created_at,
      updated_at: channel.updated_at,
    })
    .from(channel)
    .innerJoin(channelVersion, eq(channelVersion.id, channel.version_id))
    .where(and(isNull(channel.deleted_at), condition))
    .orderBy(asc(channel.id));

const selectSeen = statement((db, given: Given<{ accountId: string }>) =>
  selectChannels(db, or(isNull(channel.account_id), eq(channel.account_id, given.accountId))),
);

/** Returns the channels that an account sees: shared ones and its own. */
export function listChannels(to: Sql, accountId: string): Promise<ChannelRow[]> {
  return selectSeen(to, { accountId });
}

const selectAll = statement((db) => selectChannels(db));

/** Returns the channels of all accounts. */
export function allChannels(to: Sql): Promise<ChannelRow[]> {
  return selectAll(to, {});
}

const selectBySid = statement((db, given: Given<{ sid: string }>) =>
  selectChannels(db, eq(channel.sid, given.sid)),
);

/** Returns a channel that is not deleted, no matter who owns it. */
export async function findChannel(to: Sql, sid: string): Promise<ChannelRow | undefined> {
  const [row] = await selectBySid(to, { sid });
  return row;
}

/** Any fixed number: channels are written one at a time on one database, so that ids are given out once. */
const LOCK = 7_584_202;

/** Holds the writing of channels until the transaction ends. */
export async function lockChannels(tx: Sql): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(${LOCK})`);
}

const selectTaken = statement((db) => db.select({ id: channel.id, sid: channel.sid }).from(channel));

/** Returns the sids and ids ever used: they are never given out again. */
export function takenChannels(to: Sql): Promise<Pick<ChannelRow, 'id' | 'sid'>[]> {
  return selectTaken(to, {});
}

const selectVersion = statement((db, given: Given<{ id: number }>) =>
  db
    .select({
      document: channelVersion.document,
      channel_id: channelVersion.channel_id,
      version: channelVersion.version,
    })
    .from(channelVersion)
    .where(eq(channelVersion.id, given.id)),
);

/** Returns the document of one version. */
export async function readVersion(
  to: Sql,
  versionId: number,
): Promise<Pick<Version, 'document' | 'channel_id' | 'version'> | undefined> {
  const [row] = await selectVersion(to, { id: versionId });
  return row;
}

export interface StoredChannel {
  readonly id: number;
  readonly sid: string;
  readonly kind: ChannelRow['kind'];
  readonly accountId: string | null;
  /** JSON text of the checked document. */
  readonly document: string;
  readonly hash: string;
  readonly nowMs: number;
}

const lockNewest = statement((db, given: Given<{ id: number }>) =>
  db
    .select({ id: channelVersion.id, version: channelVersion.version, hash: channelVersion.hash })
    .from(channel)
    .innerJoin(channelVersion, eq(channelVersion.id, channel.version_id))
    .where(and(eq(channel.id, given.id), isNull(channel.deleted_at)))
    .for('update', { of: channel }),
);

const insertVersion = statement(
  (db, given: Given<Pick<Version, 'channel_id' | 'document' | 'hash' | 'created_at'>>) =>
    db
      .insert(channelVersion)
      .values({
        channel_id: given.channel_id,
        version: sql`(select coalesce(max(${channelVersion.version}), 0) + 1
          from ${channelVersion} where ${eq(channelVersion.channel_id, given.channel_id)})`,
        document: given.document,
        hash: given.hash,
        created_at: given.created_at,
      })
      .returning({ id: channelVersion.id, version: channelVersion.version }),
);

type ChannelValues = Pick<
  Row<typeof channel>,
  'id' | 'sid' | 'kind' | 'account_id' | 'version_id' | 'created_at' | 'updated_at'
>;

const upsertChannel = statement((db, given: Given<ChannelValues>) =>
  db
    .insert(channel)
    .values({
      id: given.id,
      sid: given.sid,
      kind: given.kind,
      account_id: given.account_id,
      version_id: given.version_id,
      created_at: given.created_at,
      updated_at: given.updated_at,
    })
    .onConflictDoUpdate({
      target: channel.id,
      set: {
        version_id: excluded(channel.version_id),
        updated_at: excluded(channel.updated_at),
        deleted_at: null,
      },
    }),
);

/** Stores a channel as a new version unless its newest version has the same hash. Returns the newest version. */
export async function storeChannel(
  to: Sql,
  stored: StoredChannel,
): Promise<{ versionId: number; version: number }> {
  const now = new Date(stored.nowMs);
  const { id, sid, kind, document, hash } = stored;
  const [current] = await lockNewest(to, { id });
  if (current?.hash === hash) return { versionId: current.id, version: current.version };
  const [inserted] = await insertVersion(to, { channel_id: id, document, hash, created_at: now });
  const versionId = inserted?.id ?? 0;
  const times = { created_at: now, updated_at: now };
  await upsertChannel(to, { id, sid, kind, account_id: stored.accountId, version_id: versionId, ...times });
  return { versionId, version: inserted?.version ?? 1 };
}

const markDeleted = statement((db, given: Given<{ id: number; now: Date }>) =>
  db
    .update(channel)
    .set({ deleted_at: given.now })
    .where(and(eq(channel.id, given.id), isNull(channel.deleted_at)))
    .returning({ id: channel.id }),
);

/** Marks a channel as deleted; false if there is nothing to delete. */
export async function deleteChannel(to: Sql, id: number, nowMs: number): Promise<boolean> {
  return (await markDeleted(to, { id, now: new Date(nowMs) })).length === 1;
}

const updateStatus = statement((db, given: Given<Pick<ChannelRow, 'id' | 'status' | 'updated_at'>>) =>
  db
    .update(channel)
    .set({ status: given.status, updated_at: given.updated_at })
    .where(eq(channel.id, given.id)),
);

/** Sets the status of a channel. */
export async function setChannelStatus(
  to: Sql,
  id: number,
  status: ChannelRow['status'],
  nowMs: number,
): Promise<void> {
  await updateStatus(to, { id, status, updated_at: new Date(nowMs) });
}

const countWaiting = statement((db, given: Given<{ id: number }>) =>
  db
    .select({ total: count() })
    .from(waiting)
    .innerJoin(channelVersion, eq(channelVersion.id, waiting.channel_version_id))
    .where(eq(channelVersion.channel_id, given.id)),
);

const countMailings = statement((db, given: Given<{ id: number }>) =>
  db
    .select({ total: count() })
    .from(mailing)
    .where(
      and(
        eq(mailing.channel_id, given.id),
        inArray(mailing.state, ['scheduled', 'moderating', 'sending', 'paused']),
      ),
    ),
);

/** Returns what a channel still has to do: events that wait in it, and mailings that are under way or scheduled. */
export async function workOfChannel(to: Sql, id: number): Promise<{ waiting: number; mailings: number }> {
  const waits = totalOf(await countWaiting(to, { id }));
  return { waiting: waits, mailings: totalOf(await countMailings(to, { id })) };
}

const selectConfig = statement((db, given: Given<{ accountId: string; channelId: number }>) =>
  db
    .select({ fields: providerConfig.fields })
    .from(providerConfig)
    .where(
      and(eq(providerConfig.account_id, given.accountId), eq(providerConfig.channel_id, given.channelId)),
    ),
);

/** Returns the provider settings of an account for a channel. */
export async function readProviderConfig(
  to: Sql,
  accountId: string,
  channelId: number,
): Promise<Row<typeof providerConfig>['fields'] | undefined> {
  const [row] = await selectConfig(to, { accountId, channelId });
  return row?.fields;
}

const upsertConfig = statement(
  (db, given: Given<{ accountId: string; channelId: number; fields: string; now: Date }>) =>
    db
      .insert(providerConfig)
      .values({
        account_id: given.accountId,
        channel_id: given.channelId,
        fields: jsonbText(given.fields),
        updated_at: given.now,
      })
      .onConflictDoUpdate({
        target: [providerConfig.account_id, providerConfig.channel_id],
        set: { fields: excluded(providerConfig.fields), updated_at: excluded(providerConfig.updated_at) },
      }),
);

/** Sets the provider settings of an account for a channel; `fields` is JSON text. */
export async function writeProviderConfig(
  to: Sql,
  accountId: string,
  channelId: number,
  fields: string,
  nowMs: number,
): Promise<void> {
  await upsertConfig(to, { accountId, channelId, fields, now: new Date(nowMs) });
}
