/** The five routes that senders, resources, templates and connectors have alike: create, list, read, change, delete. */
import type { Action } from '../access/permissions.ts';
import { Failure } from '../errors.ts';
import type { Directory } from '../flows/directory/directory.ts';
import type { Runtime } from '../flows/runtime.ts';
import { createEntityWriter } from '../flows/setup/save-entity.ts';
import { isUuid } from '../ids.ts';
import type { JsonObject } from '../json.ts';
import type { Sql } from '../storage/database.ts';
import {
  type EntityTable,
  type EntityValues,
  listEntities,
  readEntity,
  type Tables,
} from '../storage/entities.ts';
import { refuseChange } from './check-request.ts';
import { pageOf, readPage } from './page.ts';
import { type ApiRequest, type Route, route } from './route.ts';
import { objectSchema, pageQuery, pageSchema, time, uuid } from './schemas.ts';

/** A row as answers and audit show it. */
export type Show<T extends EntityTable> = (row: Tables[T]) => object;

/** What a write means, after everything it names was looked up. */
export interface EntityWrite<T extends EntityTable> {
  readonly show: Show<T>;
  /** For tables whose sids are unique within a channel. */
  readonly channelId?: number;
  /** The values to set; of a change the row is given as it is, held. Throws where they are not right. */
  readonly values: (held: Tables[T] | undefined) => EntityValues;
}

/** What one table needs beyond the routes themselves. */
export interface EntityKind<T extends EntityTable, Body> {
  readonly table: T;
  readonly action: Action;
  /** Members of a request besides `sid` and `name`. */
  readonly members: JsonObject;
  readonly required: readonly string[];
  /** Members of answers that no request has. */
  readonly shownMembers?: JsonObject;
  readonly shower: (row: Tables[T]) => Promise<Show<T>>;
  /** Looks up what a body names, of a change with the row before it. */
  readonly plan: (accountId: string, body: Body, row: Tables[T] | undefined) => Promise<EntityWrite<T>>;
  /** Throws where a row must stay. */
  readonly refuseRemoval?: (tx: Sql, row: Tables[T]) => Promise<void>;
  /** Of a filter by channel: the id of the named one. */
  readonly channelId?: (query: Readonly<Record<string, unknown>>) => Promise<number | undefined>;
}

interface Named {
  readonly sid: string;
  readonly name: string;
}

/** The routes of one kind of entity. */
export function entityRoutes<T extends EntityTable, Body extends Named>(
  runtime: Runtime,
  directory: Directory,
  kind: EntityKind<T, Body>,
): Route[] {
  const { database } = runtime;
  const { table, action } = kind;
  const tag = `${table}s`;
  const shownSchema = objectSchema({
    id: uuid,
    ...kind.members,
    ...kind.shownMembers,
    createdAt: time,
    updatedAt: time,
  });
  const common = (row: Tables[T]) => ({ id: row.id, sid: row.sid, name: row.name });
  const times = (row: Tables[T]) => ({ createdAt: row.created_at, updatedAt: row.updated_at });
  const whole = (show: Show<T>) => (row: Tables[T]) => ({ ...common(row), ...show(row), ...times(row) });

  const find = async ({ caller, params }: Pick<ApiRequest, 'caller' | 'params'>): Promise<Tables[T]> => {
    const id = params.id ?? '';
    const row = isUuid(id) ? await readEntity(database, table, caller.accountId, id) : undefined;
    if (row === undefined) throw new Failure('NOT_FOUND', `There is no ${table} with this id.`);
    return row;
  };
  const answer = (status: number, description: string) => ({
    [status]: { description, schema: shownSchema },
  });

  return [
    route<Body>({
      method: 'POST',
      path: `/${tag}`,
      action,
      tag,
      summary: `Create a ${table}.`,
      body: objectSchema(kind.members, ['sid', 'name', ...kind.required]),
      answers: answer(201, `The ${table}; secrets are masked.`),
      run: async ({ caller, body, ids }) => {
        const { show, values, channelId } = await kind.plan(caller.accountId, body, undefined);
        const writer = createEntityWriter(runtime, table, whole(show));
        const named = { ...values(undefined), name: body.name };
        const row = await writer.create({ caller, ids }, body.sid, named, channelId);
        directory.forget();
        return { status: 201, body: whole(show)(row) };
      },
    }),
    route({
      method: 'GET',
      path: `/${tag}`,
      action: 'read',
      tag,
      summary: `The ${tag}, newest first.`,
      query: {
        ...pageQuery,
        ...(kind.channelId !== undefined && {
          channel: { type: 'string', description: `Only ${tag} of this channel, by its sid.` },
        }),
      },
      answers: {
        200: { description: `A page of ${tag}; secrets are masked.`, schema: pageSchema(shownSchema) },
      },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const channelId = await kind.channelId?.(query);
        const { rows, total } = await listEntities(database, table, caller.accountId, page, channelId);
        const shows = new Map(
          await Promise.all(rows.map(async (row) => [row.id, whole(await kind.shower(row))] as const)),
        );
        return { status: 200, body: pageOf(rows, total, page.limit, (row) => shows.get(row.id)?.(row)) };
      },
    }),
    route({
      method: 'GET',
      path: `/${tag}/{id}`,
      action: 'read',
      tag,
      summary: `One ${table}.`,
      answers: answer(200, `The ${table}; secrets are masked.`),
      run: async (request) => {
        const row = await find(request);
        return { status: 200, body: whole(await kind.shower(row))(row) };
      },
    }),
    route<Partial<Body>>({
      method: 'PUT',
      path: `/${tag}/{id}`,
      action,
      tag,
      summary: `Change a ${table}; members that are left out stay as they are.`,
      body: { ...objectSchema(kind.members), minProperties: 1 },
      answers: answer(200, `The ${table}; secrets are masked.`),
      run: async (request) => {
        const { body } = request;
        const row = await find(request);
        refuseChange('sid', body.sid, row.sid);
        const { show, values } = await kind.plan(row.account_id, body as Body, row);
        const writer = createEntityWriter(runtime, table, whole(show));
        const changed = await writer.change(request, row.id, (held) => ({
          ...values(held),
          name: body.name ?? held.name,
        }));
        directory.forget();
        return { status: 200, body: whole(show)(changed) };
      },
    }),
    route({
      method: 'DELETE',
      path: `/${tag}/{id}`,
      action,
      tag,
      summary: `Delete a ${table}.`,
      answers: { 204: { description: 'It is gone.' } },
      run: async (request) => {
        const row = await find(request);
        const writer = createEntityWriter(runtime, table, whole(await kind.shower(row)));
        await writer.remove(request, row.id, kind.refuseRemoval);
        directory.forget();
        return { status: 204 };
      },
    }),
  ];
}
