/** Subscriptions: profiles tied to resources in channels, with the channel's address fields. */
import { Failure } from '../../errors.ts';
import { subscriptionHeader } from '../../flows/audience/import/headers.ts';
import {
  createWriteSubscriptions,
  type SubscriptionRequest,
} from '../../flows/audience/write-subscriptions.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import {
  createFieldGroupChecks,
  type FieldGroupCheck,
  showFields,
  storeFields,
} from '../../flows/directory/stored-fields.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import { writeAudit } from '../../storage/audit.ts';
import type { Sql } from '../../storage/database.ts';
import {
  changeSubscription,
  listSubscriptions,
  readSubscription,
  type ShownSubscription,
  SUBSCRIPTION_STATUSES,
  type SubscriptionFilter,
  type SubscriptionStatus,
} from '../../storage/subscriptions.ts';
import { isoTime } from '../../time.ts';
import { compileSchema } from '../../validate.ts';
import { channelNames } from '../channel-names.ts';
import { importRoute } from '../import-route.ts';
import { pageOf, readPage } from '../page.ts';
import { type ApiRequest, type Route, route } from '../route.ts';
import { anyObject, externalId, objectSchema, pageQuery, pageSchema, sid, time, uuid } from '../schemas.ts';

const status = { enum: [...SUBSCRIPTION_STATUSES] };
const members = {
  profile: externalId,
  resource: { ...sid, description: 'The sid of the resource.' },
  channel: { ...sid, description: 'The sid of the channel, a direct one.' },
  fields: { ...anyObject, description: "Values of the channel's subscription fields." },
  status,
};
const subscriptionRequest = objectSchema(members, ['profile', 'resource', 'channel']);
const shownSubscription = objectSchema({
  id: uuid,
  ...members,
  statusReason: { type: ['string', 'null'] },
  createdAt: time,
  updatedAt: time,
});

/** Routes of subscriptions. The audit names fields of people and never their values. */
export function subscriptionRoutes(runtime: Runtime, directory: Directory): Route[] {
  const forms = createFieldGroupChecks();
  const { database, clock } = runtime;
  const names = channelNames(runtime, directory);
  const { write } = createWriteSubscriptions(runtime, directory, forms);

  const formOf = async (row: ShownSubscription): Promise<FieldGroupCheck | undefined> => {
    const { channel } = await names.of(row.channel_id);
    return channel && forms(channel.document, 'subscription');
  };
  const show = async (row: ShownSubscription) => shown(row, await formOf(row));
  const find = async (sql: Sql, accountId: string, id: string | undefined): Promise<ShownSubscription> => {
    const row = isUuid(id) ? await readSubscription(sql, accountId, id) : undefined;
    if (row === undefined) throw new Failure('NOT_FOUND', 'There is no subscription with this id.');
    return row;
  };
  const audit = (
    sql: Sql,
    id: string,
    caller: ApiRequest['caller'],
    change: { action: string; before?: ShownSubscription | undefined; after: ShownSubscription },
  ) =>
    writeAudit(sql, {
      id,
      accountId: caller.accountId,
      tokenId: caller.tokenId,
      action: change.action,
      subject: `subscriptions/${change.after.id}`,
      ...(change.before !== undefined && { before: masked(change.before) }),
      after: masked(change.after),
      nowMs: clock.now(),
    });
  /** The one subscription that a request is about. */
  const named = async (sql: Sql, accountId: string, request: SubscriptionRequest) => {
    const { profile, resource, channel } = request;
    const page = { limit: 1, before: undefined };
    return (await listSubscriptions(sql, accountId, { profile, resource, channel }, page)).rows[0];
  };

  const storedFields = (
    form: FieldGroupCheck,
    given: Readonly<Record<string, unknown>>,
    row: ShownSubscription,
  ) =>
    storeFields(runtime.vault, form, {
      given,
      stored: row.fields,
      setAt: isoTime(clock.now()),
      pointer: '/fields',
    });

  return [
    route<SubscriptionRequest>({
      method: 'POST',
      path: '/subscriptions',
      action: 'profiles.write',
      tag: 'subscriptions',
      summary:
        'Subscribe a profile to a resource in a channel, or update that subscription; fields are merged into those that are there.',
      body: subscriptionRequest,
      answers: {
        200: { description: 'The updated subscription.', schema: shownSubscription },
        201: { description: 'The new subscription.', schema: shownSubscription },
      },
      run: async ({ caller, body, ids }) => {
        const auditId = ids.next();
        let row: ShownSubscription | undefined;
        const [written] = await write(caller.accountId, [body], ids, {
          cells: false,
          within: (act) =>
            database.transaction(async (tx) => {
              const before = await named(tx, caller.accountId, body);
              await act(tx);
              row = await named(tx, caller.accountId, body);
              if (row === undefined) return;
              const action = before === undefined ? 'subscriptions.create' : 'subscriptions.update';
              await audit(tx, auditId, caller, { action, before, after: row });
            }),
        });
        if (written instanceof Failure) throw written;
        if (row === undefined) throw new Failure('BUG', 'A written subscription is not there.');
        return { status: written === 'created' ? 201 : 200, body: await show(row) };
      },
    }),
    importRoute<SubscriptionRequest>(runtime, {
      tag: 'subscriptions',
      summary:
        'Import subscriptions: NDJSON with { "profile", "resource", "channel", "fields", "status" } on each line, or CSV with the columns profile, resource, channel, status, every other column a field; an empty cell changes nothing.',
      row: compileSchema(subscriptionRequest),
      readHeader: subscriptionHeader,
      write: ({ accountId }, requests, cells) => write(accountId, requests, runtime.ids, { cells }),
    }),
    route({
      method: 'GET',
      path: '/subscriptions',
      action: 'read',
      tag: 'subscriptions',
      summary: 'Subscriptions, newest first.',
      query: {
        ...pageQuery,
        profile: { type: 'string', description: 'Only of the profile with this external id.' },
        resource: { type: 'string', description: 'Only to this resource.' },
        channel: { type: 'string', description: 'Only in this channel.' },
        status: { ...status, description: 'Only with this status.' },
      },
      answers: { 200: { description: 'A page of subscriptions.', schema: pageSchema(shownSubscription) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const { limit: _limit, cursor: _cursor, ...filter } = query;
        // The check of the query has seen that each is a text.
        const asked = filter as SubscriptionFilter;
        const { rows, total } = await listSubscriptions(database, caller.accountId, asked, page);
        const shows = new Map(await Promise.all(rows.map(async (row) => [row.id, await show(row)] as const)));
        return { status: 200, body: pageOf(rows, total, page.limit, (row) => shows.get(row.id)) };
      },
    }),
    route({
      method: 'GET',
      path: '/subscriptions/{id}',
      action: 'read',
      tag: 'subscriptions',
      summary: 'One subscription.',
      answers: { 200: { description: 'The subscription.', schema: shownSubscription } },
      run: async ({ caller, params }) => ({
        status: 200,
        body: await show(await find(database, caller.accountId, params.id)),
      }),
    }),
    route<{ status?: SubscriptionStatus; fields?: Readonly<Record<string, unknown>> }>({
      method: 'PUT',
      path: '/subscriptions/{id}',
      action: 'profiles.write',
      tag: 'subscriptions',
      summary: 'Change the status of a subscription, its fields, or both; fields are replaced as a whole.',
      body: { ...objectSchema({ status, fields: members.fields }), minProperties: 1 },
      answers: { 200: { description: 'The subscription.', schema: shownSubscription } },
      run: async ({ caller, params, body, ids }) => {
        const { accountId } = caller;
        const form = await formOf(await find(database, accountId, params.id));
        if (form === undefined && body.fields !== undefined) {
          throw new Failure(
            'CONFLICT',
            'The channel was deleted, so the fields of this subscription cannot change.',
          );
        }
        const auditId = ids.next();
        const row = await database.transaction(async (tx) => {
          const before = await find(tx, accountId, params.id);
          const fields = form && body.fields && JSON.stringify(storedFields(form, body.fields, before));
          const change = { status: body.status ?? null, fields: fields ?? null };
          await changeSubscription(tx, accountId, before.id, change, clock.now());
          const after = await find(tx, accountId, before.id);
          await audit(tx, auditId, caller, { action: 'subscriptions.update', before, after });
          return after;
        });
        return { status: 200, body: shown(row, form) };
      },
    }),
  ];
}

function masked(row: ShownSubscription) {
  const { profile_id: profileId, resource, channel, status } = row;
  return { profileId, resource, channel, status, fields: Object.keys(row.fields) };
}

function shown(row: ShownSubscription, form: FieldGroupCheck | undefined) {
  return {
    id: row.id,
    profile: row.profile,
    resource: row.resource,
    channel: row.channel,
    fields: showFields(row.fields, form?.secret),
    status: row.status,
    statusReason: row.status_reason,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
