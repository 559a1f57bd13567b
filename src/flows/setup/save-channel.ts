/** Keeps channels: each change is a new version; what is in flight finishes on the version it started with. */
import { createHash } from 'node:crypto';
import type { ChannelDocument } from '../../channel/document.ts';
import type { Finding } from '../../channel/finding.ts';
import type { SourceText } from '../../channel/source-text.ts';
import { Failure } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import { own } from '../../json.ts';
import { writeAudit } from '../../storage/audit.ts';
import {
  type ChannelRow,
  deleteChannel,
  findChannel,
  listChannels,
  lockChannels,
  setChannelStatus,
  storeChannel,
  takenChannels,
  workOfChannel,
} from '../../storage/channels.ts';
import type { Sql } from '../../storage/database.ts';
import { type OperatorEvent, writeOperatorEvent } from '../../storage/operator-events.ts';
import type { Directory } from '../directory/directory.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import type { Runtime } from '../runtime.ts';
import { assertValidDocument, examineChannel, type GivenChannel, pipelinesOf } from './examine-channel.ts';

/** Who changes a channel, and the ids of what the change makes. */
export interface ChannelAuthor {
  readonly caller: { readonly accountId: string; readonly tokenId: string };
  readonly ids: Ids;
}

export interface SavedChannel {
  readonly document: ChannelDocument;
  readonly version: number;
  /** False where this version was there already. */
  readonly changed: boolean;
  /** Warnings only. */
  readonly findings: readonly Finding[];
}

type ChannelVerb = 'create' | 'update' | 'status' | 'delete';

interface Change {
  readonly before?: object;
  readonly after?: { readonly version?: number; readonly status?: string };
}

export interface ChannelWriter {
  /** Throws CONFLICT, CHANNEL_READ_ONLY, DOCUMENT_INVALID with every finding. */
  readonly create: (by: ChannelAuthor, source: SourceText) => Promise<SavedChannel>;
  /** Throws NOT_FOUND, CHANNEL_READ_ONLY, IMMUTABLE, DOCUMENT_INVALID with every finding. */
  readonly change: (by: ChannelAuthor, sid: string, source: SourceText) => Promise<SavedChannel>;
  /** Throws NOT_FOUND, CHANNEL_READ_ONLY. */
  readonly setStatus: (by: ChannelAuthor, sid: string, status: ChannelRow['status']) => Promise<void>;
  /** Throws NOT_FOUND, CHANNEL_READ_ONLY, and WRONG_STATE while something waits in it. */
  readonly remove: (by: ChannelAuthor, sid: string) => Promise<void>;
}

/** The channels of accounts. */
export function createChannelWriter(runtime: Runtime, directory: Directory): ChannelWriter {
  const { database, clock } = runtime;

  /** One change at a time, committed together with its audit. */
  const change = async <T>(
    by: ChannelAuthor,
    run: (tx: Sql, audit: (verb: ChannelVerb, sid: string, was: Change) => Promise<void>) => Promise<T>,
  ): Promise<T> => {
    const auditId = by.ids.next();
    const emitted: OperatorEvent[] = [];
    const done = await database.transaction(async (tx) => {
      await lockChannels(tx);
      return run(tx, async (verb, sid, was) => {
        await writeAudit(tx, {
          id: auditId,
          accountId: by.caller.accountId,
          tokenId: by.caller.tokenId,
          action: `channels.${verb}`,
          subject: `channels/${sid}`,
          nowMs: clock.now(),
          ...was,
        });
        emitted.push(
          ...(await emitChannelChanged(tx, by.caller.accountId, sid, verb, was.after, clock.now())),
        );
      });
    });
    directory.forget();
    logOperatorEvents(runtime.log, emitted);
    return done;
  };

  const keep = async (tx: Sql, by: ChannelAuthor, source: SourceText, existing: ChannelRow | undefined) => {
    const { accountId } = by.caller;
    const pipelines = pipelinesOf(await listChannels(tx, accountId));
    return saveChannel(tx, { source, kind: 'custom', accountId, pipelines }, existing, clock.now());
  };

  return Object.freeze<ChannelWriter>({
    create: (by, source) =>
      change(by, async (tx, audit) => {
        const sid = own(source.value, 'sid');
        const existing = typeof sid === 'string' ? await findChannel(tx, sid) : undefined;
        if (existing !== undefined) {
          refuseReadOnly(existing);
          const message = `There is already a channel "${existing.sid}". PUT it to change it, or choose another sid.`;
          throw new Failure('CONFLICT', message, { problems: [{ pointer: '/sid', message }] });
        }
        const kept = await keep(tx, by, source, undefined);
        await audit('create', kept.document.sid, { after: { version: kept.version } });
        return kept;
      }),
    change: (by, sid, source) =>
      change(by, async (tx, audit) => {
        const existing = await ownChannel(tx, by.caller.accountId, sid);
        const kept = await keep(tx, by, source, existing);
        if (kept.changed) {
          await audit('update', sid, {
            before: { version: existing.version },
            after: { version: kept.version },
          });
        }
        return kept;
      }),
    setStatus: (by, sid, status) =>
      change(by, async (tx, audit) => {
        const existing = await ownChannel(tx, by.caller.accountId, sid);
        await setChannelStatus(tx, existing.id, status, clock.now());
        await audit('status', sid, { before: { status: existing.status }, after: { status } });
      }),
    remove: (by, sid) =>
      change(by, async (tx, audit) => {
        const existing = await ownChannel(tx, by.caller.accountId, sid);
        const { waiting, mailings } = await workOfChannel(tx, existing.id);
        if (waiting > 0 || mailings > 0) {
          throw new Failure(
            'WRONG_STATE',
            `Channel "${sid}" still has ${waiting} waiting messages or events and ${mailings} mailings under way. Stop the mailings and let the rest finish, or set the channel archived so that nothing new comes.`,
          );
        }
        await deleteChannel(tx, existing.id, clock.now());
        await audit('delete', sid, { before: { version: existing.version, status: existing.status } });
      }),
  });
}

/** Tells operators that a channel changed, in the transaction of the change; without an account, all of them. */
export function emitChannelChanged(
  tx: Sql,
  accountId: string | null,
  sid: string,
  change: ChannelVerb,
  after: Change['after'],
  nowMs: number,
): Promise<OperatorEvent[]> {
  const { version = null, status = null } = after ?? {};
  const data = { channel: sid, change, version, status };
  return writeOperatorEvent(tx, { accountId, type: 'channel.changed', data }, nowMs);
}

/**
 * Stores a channel as a new version, unless the newest one is the same. Needs the lock of `lockChannels`.
 * Throws IMMUTABLE, DOCUMENT_INVALID.
 */
export async function saveChannel(
  tx: Sql,
  given: GivenChannel,
  existing: ChannelRow | undefined,
  nowMs: number,
): Promise<SavedChannel> {
  const checked = examineChannel(given, await takenChannels(tx), existing);
  const document = assertValidDocument(checked, given.source.file);
  // The order of its own members says nothing; further in it may: in XML it is the order of elements.
  const members = Object.entries(document).sort(([left], [right]) => (left < right ? -1 : 1));
  const text = JSON.stringify(Object.fromEntries(members));
  const hash = createHash('sha256').update(text).digest('hex');
  const { id, sid, kind } = document;
  const stored = await storeChannel(tx, {
    id,
    sid,
    kind,
    accountId: given.accountId,
    document: text,
    hash,
    nowMs,
  });
  const changed = existing?.hash !== hash;
  return { document, version: stored.version, changed, findings: checked.findings };
}

async function ownChannel(tx: Sql, accountId: string, sid: string): Promise<ChannelRow> {
  const row = await findChannel(tx, sid);
  if (row === undefined || (row.account_id !== null && row.account_id !== accountId)) {
    throw new Failure('NOT_FOUND', `There is no channel "${sid}". GET /api/v1/channels lists them all.`);
  }
  refuseReadOnly(row);
  return row;
}

function refuseReadOnly({ sid, kind, account_id: accountId }: ChannelRow): void {
  if (kind !== 'custom') {
    throw new Failure(
      'CHANNEL_READ_ONLY',
      `Channel "${sid}" comes with the product (${kind}) and cannot be changed. Create a channel of your own under another sid.`,
    );
  }
  if (accountId === null) {
    throw new Failure(
      'CHANNEL_READ_ONLY',
      `Channel "${sid}" is loaded from a folder and shared by all accounts. Change its files instead.`,
    );
  }
}
