/** Creates, changes and deletes content sources, each write together with its audit and with the row that syncs it. */
import type { Provider } from '../../content/sources/contract.ts';
import { checkMappings, type Mappings } from '../../content/sources/mappings.ts';
import type { ChannelType } from '../../content/types/contract.ts';
import { Failure } from '../../errors.ts';
import { own } from '../../json.ts';
import { writeAudit } from '../../storage/audit.ts';
import {
  deleteSource,
  findSource,
  insertSource,
  lockSource,
  type SourceRow,
  type SourceValues,
  setSyncRow,
  updateSource,
} from '../../storage/content-sources.ts';
import type { Sql } from '../../storage/database.ts';
import { isoTime } from '../../time.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Runtime } from '../runtime.ts';
import type { Author } from '../setup/save-entity.ts';
import { type GivenSettings, invalidSettings, showSettings, storeSettings } from './source-settings.ts';
import { startSync } from './sync-row.ts';

/** What people set of a source; of a change, what is left out stays. */
export interface SourceEdit extends GivenSettings {
  readonly name?: string;
  readonly syncMode?: 'webhook' | 'polling' | 'poll';
  readonly syncIntervalMinutes?: number | null;
  readonly autoPublish?: boolean;
  readonly mappings?: Mappings;
  readonly channelType?: ChannelType;
  readonly status?: 'active' | 'paused';
}

export interface NewSource extends SourceEdit {
  readonly name: string;
  readonly provider: Provider;
  readonly mappings: Mappings;
  readonly channelType: ChannelType;
}

type WholeEdit = SourceEdit & Pick<NewSource, 'name' | 'mappings' | 'channelType'>;

export interface SourceWriter {
  /** Throws REQUEST_INVALID, and CONFLICT if the name is taken. */
  readonly create: (by: Author, given: NewSource) => Promise<SourceRow>;
  /** Throws NOT_FOUND, REQUEST_INVALID, CONFLICT. */
  readonly change: (by: Author, id: string, edit: SourceEdit) => Promise<SourceRow>;
  /** The content stays. Throws NOT_FOUND. */
  readonly remove: (by: Author, id: string) => Promise<void>;
  /**
   * Begins a sync of everything; one that is under way goes on instead, unless it waits after a failure. Throws NOT_FOUND,
   * and WRONG_STATE if it is paused.
   */
  readonly sync: (by: Author, id: string) => Promise<SourceRow>;
}

const DEFAULT_MINUTES = 60;
const UNIQUE_VIOLATION = '23505';

/** `wakeLanes` gets the lanes that have work. */
export function createSourceWriter(
  runtime: Runtime,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
): SourceWriter {
  const { database, clock, vault, ids } = runtime;

  const held = async (tx: Sql, by: Author, id: string): Promise<SourceRow> => {
    const row = await lockSource(tx, by.caller.accountId, id);
    if (row === undefined) throw new Failure('NOT_FOUND', 'There is no content source with this id.');
    return row;
  };
  const audit = (tx: Sql, by: Author, auditId: string, verb: string, id: string, change: object) =>
    writeAudit(tx, {
      id: auditId,
      accountId: by.caller.accountId,
      tokenId: by.caller.tokenId,
      action: `content-sources.${verb}`,
      subject: `content-sources/${id}`,
      nowMs: clock.now(),
      ...change,
    });
  const laneOf = async (by: Author, sourceId: string) => {
    const { accountId } = by.caller;
    const lane = await lanes.sourceLane(accountId, sourceId);
    return { accountId, sourceId, laneId: lane.id };
  };

  return Object.freeze<SourceWriter>({
    create: async (by, given) => {
      const [id, auditId, rowId] = [by.ids.next(), by.ids.next(), ids.next()];
      const { accountId } = by.caller;
      const nowMs = clock.now();
      const { provider, config = {}, webhookSecret } = given;
      const stored = storeSettings(vault, provider, { config, webhookSecret }, {}, isoTime(nowMs));
      refuseInterval(given, given.syncMode);
      const values = valuesOf(given, stored);
      const place = await laneOf(by, id);
      const row = await database.transaction(async (tx) => {
        const made = await insertSource(tx, { id, accountId, provider }, values, nowMs);
        if (made === undefined) return findSource(tx, accountId, given.name);
        if (polls(made)) await startSync(tx, place, rowId, true, nowMs);
        await audit(tx, by, auditId, 'create', id, { after: auditedSource(made) });
        return made;
      });
      // The same id: a repeat of this very write, whose answer was lost.
      if (row?.id !== id) throw nameTaken(given.name);
      wakeLanes([place.laneId]);
      return row;
    },
    change: async (by, id, edit) => {
      // The row is a new one each time, also for a repeat whose answer was lost.
      const [auditId, rowId] = [by.ids.next(), ids.next()];
      const nowMs = clock.now();
      const place = await laneOf(by, id);
      const row = await database
        .transaction(async (tx) => {
          const before = await held(tx, by, id);
          const stored = storeSettings(
            vault,
            before.provider as Provider,
            edit,
            before.config,
            isoTime(nowMs),
          );
          const { config: _config, webhookSecret: _secret, ...rest } = edit;
          refuseInterval(edit, edit.syncMode ?? before.sync_mode);
          const values = valuesOf({ ...editOf(before), ...rest }, stored);
          const after = await updateSource(tx, by.caller.accountId, id, values, nowMs);
          if (after === undefined) throw new Failure('NOT_FOUND', 'There is no content source with this id.');
          // Under other settings a sync begins again; where the source does not poll, one that was under way.
          if (after.status === 'active' && (polls(after) || before.sync_id !== null)) {
            await startSync(tx, place, rowId, true, nowMs);
          } else await setSyncRow(tx, id, null);
          await audit(tx, by, auditId, 'update', id, {
            before: auditedSource(before),
            after: auditedSource(after),
          });
          return after;
        })
        .catch((thrown: unknown) => {
          throw own(thrown, 'code') === UNIQUE_VIOLATION ? nameTaken(String(edit.name)) : thrown;
        });
      wakeLanes([place.laneId]);
      return row;
    },
    remove: async (by, id) => {
      const auditId = by.ids.next();
      await database.transaction(async (tx) => {
        const row = await held(tx, by, id);
        await deleteSource(tx, by.caller.accountId, id);
        await audit(tx, by, auditId, 'delete', id, { before: auditedSource(row) });
      });
    },
    sync: async (by, id) => {
      const rowId = ids.next();
      const nowMs = clock.now();
      const place = await laneOf(by, id);
      const row = await database.transaction(async (tx) => {
        const source = await held(tx, by, id);
        if (source.status === 'paused') {
          throw new Failure(
            'WRONG_STATE',
            `The content source "${source.name}" is paused. Set its status to active first.${source.last_error === null ? '' : ` What failed last: ${source.last_error}`}`,
          );
        }
        // What waits after a failure is not under way: anyone who has fixed what failed wants to see it now.
        if (source.sync === null || source.failures > 0) await startSync(tx, place, rowId, true, nowMs);
        return source;
      });
      wakeLanes([place.laneId]);
      return row;
    },
  });
}

function polls(row: SourceRow): boolean {
  return row.sync_mode === 'polling' && row.status === 'active';
}

/** What a row has, as a change would give it. */
function editOf(row: SourceRow): WholeEdit {
  return {
    name: row.name,
    syncMode: row.sync_mode,
    syncIntervalMinutes: row.sync_interval_minutes,
    autoPublish: row.auto_publish,
    mappings: row.mappings,
    channelType: row.channel_type as ChannelType,
    status: row.status,
  };
}

function valuesOf(source: WholeEdit, stored: Readonly<Record<string, unknown>>): SourceValues {
  const { channelType, mappings } = source;
  const problems = checkMappings(channelType, mappings);
  if (problems.length > 0) throw invalidSettings(problems);
  const syncMode = source.syncMode === undefined || source.syncMode === 'webhook' ? 'webhook' : 'polling';
  return {
    name: source.name,
    config: JSON.stringify(stored),
    syncMode,
    syncIntervalMinutes: syncMode === 'polling' ? (source.syncIntervalMinutes ?? DEFAULT_MINUTES) : null,
    autoPublish: source.autoPublish ?? false,
    mappings: JSON.stringify(mappings),
    channelType,
    status: source.status ?? 'active',
  };
}

/** An interval without polling would promise what never happens. */
function refuseInterval(given: SourceEdit, mode: SourceEdit['syncMode']): void {
  if (typeof given.syncIntervalMinutes !== 'number' || (mode !== undefined && mode !== 'webhook')) return;
  const message = 'An interval is for polling; set "syncMode" to "polling", or leave the interval out.';
  throw invalidSettings([{ pointer: '/syncIntervalMinutes', message }]);
}

function nameTaken(name: string): Failure {
  const message = `There is already a content source "${name}". Choose another name, or change that one.`;
  return new Failure('CONFLICT', message, { problems: [{ pointer: '/name', message }] });
}

function auditedSource(row: SourceRow): object {
  return { ...editOf(row), provider: row.provider, ...showSettings(row) };
}
