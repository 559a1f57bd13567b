/** Creates, changes and deletes senders, resources, templates and connectors, each write together with its audit. */
import { Failure } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import { writeAudit } from '../../storage/audit.ts';
import type { Sql } from '../../storage/database.ts';
import {
  deleteEntity,
  type EntityTable,
  type EntityValues,
  findEntity,
  insertEntity,
  lockEntity,
  type Tables,
  updateEntity,
} from '../../storage/entities.ts';
import type { Runtime } from '../runtime.ts';

/** Who writes, and the ids of what the write makes. */
export interface Author {
  readonly caller: { readonly accountId: string; readonly tokenId: string };
  readonly ids: Ids;
}

/** Entities of one table; `show` is what the audit keeps of a row, without secrets. */
export interface EntityWriter<T extends EntityTable> {
  /** Throws CONFLICT if the sid is taken. */
  readonly create: (by: Author, sid: string, values: EntityValues, channelId?: number) => Promise<Tables[T]>;
  /** `change` gives the values to set; it sees the row as it is, held. Throws NOT_FOUND. */
  readonly change: (by: Author, id: string, change: (row: Tables[T]) => EntityValues) => Promise<Tables[T]>;
  /** `refuse` throws where the row must stay. Throws NOT_FOUND. */
  readonly remove: (
    by: Author,
    id: string,
    refuse?: (tx: Sql, row: Tables[T]) => Promise<void>,
  ) => Promise<void>;
}

export function createEntityWriter<T extends EntityTable>(
  runtime: Runtime,
  table: T,
  show: (row: Tables[T]) => unknown,
): EntityWriter<T> {
  const { database, clock } = runtime;
  const audit = (tx: Sql, by: Author, id: string, verb: string, row: { id: string }, change: object) =>
    writeAudit(tx, {
      id,
      accountId: by.caller.accountId,
      tokenId: by.caller.tokenId,
      action: `${table}s.${verb}`,
      subject: `${table}s/${row.id}`,
      nowMs: clock.now(),
      ...change,
    });
  const held = async (tx: Sql, by: Author, id: string) => {
    const row = await lockEntity(tx, table, by.caller.accountId, id);
    if (row === undefined) throw new Failure('NOT_FOUND', `There is no ${table} with this id.`);
    return row;
  };

  return Object.freeze<EntityWriter<T>>({
    create: (by, sid, values, channelId) => {
      const id = by.ids.next();
      const auditId = by.ids.next();
      const { accountId } = by.caller;
      return database.transaction(async (tx) => {
        const made = await insertEntity(tx, table, id, accountId, { ...values, sid }, clock.now());
        const row = made ?? (await findEntity(tx, table, accountId, sid, channelId));
        // The same id: a repeat of this very write, whose answer was lost.
        if (row === undefined || row.id !== id) {
          const message = `There is already a ${table} "${sid}"${channelId === undefined ? '' : ' in this channel'}. Choose another sid, or change that one.`;
          throw new Failure('CONFLICT', message, { problems: [{ pointer: '/sid', message }] });
        }
        await audit(tx, by, auditId, 'create', row, { after: show(row) });
        return row;
      });
    },
    change: (by, id, change) => {
      const auditId = by.ids.next();
      return database.transaction(async (tx) => {
        const before = await held(tx, by, id);
        const after = await updateEntity(tx, table, by.caller.accountId, id, change(before), clock.now());
        if (after === undefined) throw new Failure('NOT_FOUND', `There is no ${table} with this id.`);
        await audit(tx, by, auditId, 'update', after, { before: show(before), after: show(after) });
        return after;
      });
    },
    remove: (by, id, refuse) => {
      const auditId = by.ids.next();
      return database.transaction(async (tx) => {
        const row = await held(tx, by, id);
        await refuse?.(tx, row);
        await deleteEntity(tx, table, by.caller.accountId, id);
        await audit(tx, by, auditId, 'delete', row, { before: show(row) });
      });
    },
  });
}
