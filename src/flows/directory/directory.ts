/**
 * What runs need to know of channels, senders, resources, accounts and launches, kept in memory. Versions never
 * change, so they stay; the rest is read again when it is older than a second, many in one query.
 */
import { openFields } from '../../access/vault.ts';
import type { ChannelDocument } from '../../channel/document.ts';
import { compileChannel } from '../../engine/compile-channel.ts';
import { Failure } from '../../errors.ts';
import type { Pipe } from '../../pipes/contract.ts';
import { readAccounts } from '../../storage/accounts.ts';
import { allChannels, type ChannelRow, readProviderConfig, readVersion } from '../../storage/channels.ts';
import { findSenders, type ResourceRow, readByIds, type SenderRow } from '../../storage/entities.ts';
import { type LaunchRow, readLaunches } from '../../storage/launches.ts';
import { readSenderRules, type SenderRulesRow } from '../../storage/sender-rules.ts';
import { compileListener } from '../listener/compile-listener.ts';
import type { Runtime } from '../runtime.ts';
import { type ContentItems, createContentItems } from './content-items.ts';
import type { KnownChannel } from './known-channel.ts';
import { type CompiledContent, compileContent } from './render-content.ts';
import type { ItemRendering } from './render-item.ts';

/** How old a cached row may be, in milliseconds. */
const FRESH_MS = 1_000;
/** A launch is read again sooner: with what runs keep of it (perform.ts), a pause is known everywhere within a second. */
const LAUNCH_FRESH_MS = 400;
const CONTENTS_KEPT = 2_000;

/** A row opened for runs: the keyword object and the secrets in it. */
export interface Opened<Row> {
  readonly row: Row;
  readonly values: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
}

export interface KnownLaunch {
  readonly row: LaunchRow;
  readonly values: Readonly<Record<string, unknown>>;
  readonly content: ItemRendering | Failure;
  /** Its content item serves no more. */
  readonly withdrawn: boolean;
}

export interface Directory {
  /** A version, from memory or the database. Throws NOT_FOUND. */
  readonly version: (versionId: number) => Promise<KnownChannel>;
  /** The version if it is in memory. */
  readonly knownVersion: (versionId: number) => KnownChannel | undefined;
  /** Current channels by sid. */
  readonly channel: (sid: string) => Promise<{ row: ChannelRow; channel: KnownChannel } | undefined>;
  readonly channels: () => Promise<ReadonlyMap<string, ChannelRow>>;
  readonly sender: (id: string) => Promise<Opened<SenderRow> | undefined>;
  readonly senderBySid: (channelId: number, sid: string) => Promise<Opened<SenderRow> | undefined>;
  readonly resource: (id: string, channelSid: string) => Promise<Opened<ResourceRow> | undefined>;
  readonly account: (id: string, channelId: number) => Promise<Opened<{ id: string; name: string }>>;
  readonly launch: (id: string) => Promise<KnownLaunch | undefined>;
  /** By which rules an account's messages of a channel find their sender. */
  readonly senderRules: (accountId: string, channelId: number) => Promise<SenderRulesRow | undefined>;
  /** Values of one message compiled; the same values are compiled once. */
  readonly content: (channel: KnownChannel, values: Readonly<Record<string, unknown>>) => CompiledContent;
  readonly items: ContentItems;
  /** Forgets what may have changed; versions stay. */
  readonly forget: () => void;
}

interface Cached<T> {
  readonly at: number;
  readonly value: Promise<T>;
}

/** The directory of one process. `lookup` gives the pipe of a type. */
export function createDirectory(runtime: Runtime, lookup: (type: string) => Pipe | undefined): Directory {
  const { database, clock, vault } = runtime;
  const versions = new Map<number, KnownChannel>();
  const contents = new Map<string, CompiledContent>();
  const cache = new Map<string, Cached<unknown>>();

  const cached = <T>(key: string, read: () => Promise<T>, freshMs = FRESH_MS): Promise<T> => {
    const now = clock.now();
    const known = cache.get(key) as Cached<T> | undefined;
    if (known !== undefined && Math.abs(now - known.at) < freshMs) return known.value;
    const value = read();
    cache.set(key, { at: now, value });
    value.catch(() => cache.delete(key));
    return value;
  };

  const version = async (versionId: number): Promise<KnownChannel> => {
    const known = versions.get(versionId);
    if (known !== undefined) return known;
    const row = await readVersion(database, versionId);
    if (row === undefined) throw new Failure('NOT_FOUND', `There is no channel version ${versionId}.`);
    const document = JSON.parse(row.document) as ChannelDocument;
    const compiled: KnownChannel = Object.freeze({
      ...compileChannel(document, lookup),
      versionId,
      listener: compileListener(document.listener),
    });
    versions.set(versionId, compiled);
    return compiled;
  };

  const channels = () =>
    cached('channels', async () => new Map((await allChannels(database)).map((row) => [row.sid, row])));

  const open = <Row extends { id: string; name: string; sid?: string }>(
    row: Row,
    stored: Readonly<Record<string, unknown>>,
  ): Opened<Row> => {
    const { values, secrets } = openFields(vault, stored);
    const named = { id: row.id, name: row.name, ...(row.sid !== undefined && { sid: row.sid }) };
    return Object.freeze({ row, values: Object.freeze({ ...named, ...values }), secrets });
  };

  const content: Directory['content'] = (channel, values) => {
    const key = `${channel.versionId}:${JSON.stringify(values)}`;
    const known = contents.get(key);
    if (known !== undefined) return known;
    const compiled = compileContent(channel.document, values);
    if (contents.size >= CONTENTS_KEPT) contents.delete(contents.keys().next().value as string);
    contents.set(key, compiled);
    return compiled;
  };

  const items = createContentItems(database, cached);

  const launchContent = async (row: LaunchRow): Promise<ItemRendering | Failure> => {
    const channel = await version(row.channel_version_id);
    if (row.content_item_id !== null && row.content_version !== null) {
      return items.version(channel, { itemId: row.content_item_id, version: row.content_version });
    }
    try {
      return content(channel, row.content);
    } catch (thrown) {
      if (thrown instanceof Failure) return thrown;
      throw thrown;
    }
  };

  return Object.freeze<Directory>({
    version,
    knownVersion: (versionId) => versions.get(versionId),
    channels,
    channel: async (sid) => {
      const row = (await channels()).get(sid);
      return row === undefined ? undefined : { row, channel: await version(row.version_id) };
    },
    sender: (id) =>
      cached(`sender/${id}`, async () => {
        const [row] = await readByIds(database, 'sender', [id]);
        return row === undefined ? undefined : open(row, row.fields);
      }),
    senderBySid: (channelId, sid) =>
      cached(`sender/${channelId}/${sid}`, async () => {
        const [row] = await findSenders(database, channelId, sid);
        return row === undefined ? undefined : open(row, row.fields);
      }),
    resource: (id, channelSid) =>
      cached(`resource/${id}/${channelSid}`, async () => {
        const [row] = await readByIds(database, 'resource', [id]);
        return row === undefined ? undefined : open(row, row.channels[channelSid] ?? {});
      }),
    account: (id, channelId) =>
      cached(`account/${id}/${channelId}`, async () => {
        const [row] = await readAccounts(database, [id]);
        const fields = (await readProviderConfig(database, id, channelId)) ?? {};
        return open({ id, name: row?.name ?? '' }, fields);
      }),
    launch: (id) =>
      cached(
        `launch/${id}`,
        async () => {
          const [row] = await readLaunches(database, [id]);
          if (row === undefined) return undefined;
          const values = Object.freeze({ id: row.mailing_id, name: row.mailing_name, ...row.fields });
          const item = row.content_item_id;
          const [content, serves] = await Promise.all([
            launchContent(row),
            item === null || items.serves(item),
          ]);
          return { row, values, content, withdrawn: !serves };
        },
        LAUNCH_FRESH_MS,
      ),
    senderRules: (accountId, channelId) =>
      cached(`rules/${accountId}/${channelId}`, () => readSenderRules(database, accountId, channelId)),
    content,
    items,
    forget: () => cache.clear(),
  });
}
