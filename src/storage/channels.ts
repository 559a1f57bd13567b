/** Channels and their versions. */
import type { ChannelKind } from '../channel/document.ts';
import type { Sql } from './database.ts';

export interface ChannelRow {
  readonly id: number;
  readonly sid: string;
  readonly kind: ChannelKind;
  readonly account_id: string | null;
  readonly status: 'draft' | 'active' | 'paused' | 'archived';
  readonly version_id: number;
  readonly version: number;
  readonly hash: string;
  readonly document: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const SELECT = `select c.id, c.sid, c.kind, c.account_id, c.status, c.version_id, v.version, v.hash, v.document,
  c.created_at, c.updated_at from channel c join channel_version v on v.id = c.version_id`;

/** The channels that an account sees: shared ones and its own. */
export function listChannels(sql: Sql, accountId: string): Promise<ChannelRow[]> {
  return sql.query<ChannelRow>(
    `${SELECT} where c.deleted_at is null and (c.account_id is null or c.account_id = $1) order by c.id`,
    [accountId],
  );
}

export function allChannels(sql: Sql): Promise<ChannelRow[]> {
  return sql.query<ChannelRow>(`${SELECT} where c.deleted_at is null order by c.id`);
}

/** A channel that is not deleted, whoever owns it. */
export async function findChannel(sql: Sql, sid: string): Promise<ChannelRow | undefined> {
  const rows = await sql.query<ChannelRow>(`${SELECT} where c.deleted_at is null and c.sid = $1`, [sid]);
  return rows[0];
}

/** Any fixed number: channels are written one at a time on one database, so that ids are given out once. */
const LOCK = 7_584_202;

/** Holds the writing of channels until the transaction ends. */
export async function lockChannels(tx: Sql): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(${LOCK})`);
}

/** Sids and ids ever used: they are never given out again. */
export function takenChannels(sql: Sql): Promise<{ id: number; sid: string }[]> {
  return sql.query('select id, sid from channel');
}

/** The text of one version. */
export async function readVersion(
  sql: Sql,
  versionId: number,
): Promise<{ document: string; channel_id: number; version: number } | undefined> {
  const rows = await sql.query<{ document: string; channel_id: number; version: number }>(
    'select document, channel_id, version from channel_version where id = $1',
    [versionId],
  );
  return rows[0];
}

export interface StoredChannel {
  readonly id: number;
  readonly sid: string;
  readonly kind: ChannelKind;
  readonly accountId: string | null;
  /** JSON text of the checked document. */
  readonly document: string;
  readonly hash: string;
  readonly nowMs: number;
}

/** Stores a channel as a new version unless its newest version has the same hash. Gives the newest version. */
export async function storeChannel(
  sql: Sql,
  channel: StoredChannel,
): Promise<{ versionId: number; version: number }> {
  const now = new Date(channel.nowMs);
  const [current] = await sql.query<{ id: number; version: number; hash: string }>(
    `select v.id, v.version, v.hash from channel c join channel_version v on v.id = c.version_id
     where c.id = $1 and c.deleted_at is null for update of c`,
    [channel.id],
  );
  if (current?.hash === channel.hash) return { versionId: current.id, version: current.version };
  const [stored] = await sql.query<{ id: number; version: number }>(
    `insert into channel_version (channel_id, version, document, hash, created_at)
     values ($1, (select coalesce(max(version), 0) + 1 from channel_version where channel_id = $1), $2, $3, $4)
     returning id, version`,
    [channel.id, channel.document, channel.hash, now],
  );
  const versionId = stored?.id ?? 0;
  await sql.query(
    `insert into channel (id, sid, kind, account_id, version_id, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)
     on conflict (id) do update set version_id = excluded.version_id, updated_at = excluded.updated_at, deleted_at = null`,
    [channel.id, channel.sid, channel.kind, channel.accountId, versionId, now],
  );
  return { versionId, version: stored?.version ?? 1 };
}

/** Soft deletion; false where there is nothing to delete. */
export async function deleteChannel(sql: Sql, id: number, nowMs: number): Promise<boolean> {
  const rows = await sql.query(
    'update channel set deleted_at = $2 where id = $1 and deleted_at is null returning id',
    [id, new Date(nowMs)],
  );
  return rows.length === 1;
}

export async function setChannelStatus(
  sql: Sql,
  id: number,
  status: ChannelRow['status'],
  nowMs: number,
): Promise<void> {
  await sql.query('update channel set status = $2, updated_at = $3 where id = $1', [
    id,
    status,
    new Date(nowMs),
  ]);
}

/** What a channel still has to do: events that wait in it, and mailings that are under way or scheduled. */
export async function workOfChannel(sql: Sql, id: number): Promise<{ waiting: number; mailings: number }> {
  const [row] = await sql.query<{ waiting: number; mailings: number }>(
    `select
       (select count(*)::int from waiting w join channel_version v on v.id = w.channel_version_id
        where v.channel_id = $1) as waiting,
       (select count(*)::int from mailing
        where channel_id = $1 and state in ('scheduled', 'moderating', 'sending', 'paused')) as mailings`,
    [id],
  );
  return row ?? { waiting: 0, mailings: 0 };
}

export async function readProviderConfig(
  sql: Sql,
  accountId: string,
  channelId: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const rows = await sql.query<{ fields: Record<string, unknown> }>(
    'select fields from provider_config where account_id = $1 and channel_id = $2',
    [accountId, channelId],
  );
  return rows[0]?.fields;
}

export async function writeProviderConfig(
  sql: Sql,
  accountId: string,
  channelId: number,
  fields: string,
  nowMs: number,
): Promise<void> {
  await sql.query(
    `insert into provider_config (account_id, channel_id, fields, updated_at) values ($1, $2, $3::text::jsonb, $4)
     on conflict (account_id, channel_id) do update set fields = excluded.fields, updated_at = excluded.updated_at`,
    [accountId, channelId, fields, new Date(nowMs)],
  );
}
