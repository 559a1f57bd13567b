/** Webhooks: where operator events are sent, signed as Standard Webhooks. */
import { Failure } from '../../errors.ts';
import { logOperatorEvents } from '../../flows/log-operator-events.ts';
import { SUBSCRIBABLE } from '../../flows/operator-event-types.ts';
import {
  createWebhookWriter,
  showWebhook,
  type WebhookValues,
} from '../../flows/operator-events/save-webhook.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import { type DeliveryRow, insertTest, listDeliveries } from '../../storage/webhook-deliveries.ts';
import { listWebhooks, readWebhook, type WebhookRow } from '../../storage/webhooks.ts';
import { pageOf, readPage } from '../page.ts';
import { type ApiRequest, type Route, route } from '../route.ts';
import { objectSchema, pageQuery, pageSchema, text, time, uuid } from '../schemas.ts';

const timeOrNull = { type: ['string', 'null'], format: 'date-time' };
const url = text('Where events are sent by POST.', { minLength: 1, maxLength: 2_048 });
const events = {
  type: 'array',
  minItems: 1,
  uniqueItems: true,
  items: { enum: ['*', ...SUBSCRIBABLE] },
  description: 'Types of operator events (docs/reference/operator-events.md), or `*` for all.',
};
const secret = text('`whsec_` and 24 to 64 random bytes in base64.', { maxLength: 120 });
const status = { enum: ['active', 'disabled'] };
/** What may be shown of a webhook. */
export const webhookMembers = { url, events, status } as const;

const shownMembers = {
  id: uuid,
  ...webhookMembers,
  reason: { type: ['string', 'null'], description: 'Why it is disabled.' },
  laneId: { type: 'integer', description: 'The lane in which its events wait.' },
  previousSecretUntil: { ...timeOrNull, description: 'Until then events are signed with both secrets.' },
  failingSince: { ...timeOrNull, description: 'The first failure since the last success.' },
  createdAt: time,
  updatedAt: time,
} as const;
const shownWebhook = objectSchema({
  ...shownMembers,
  secret: objectSchema({ set: { type: 'boolean' }, setAt: time }),
});
const webhookWithSecret = objectSchema({ ...shownMembers, secret: text('Shown once.') });
const shownDelivery = objectSchema({
  id: uuid,
  event: { ...uuid, description: 'The id of the operator event, and the `webhook-id` that was sent.' },
  type: { type: ['string', 'null'] },
  state: { enum: ['delivered', 'waiting', 'failed'] },
  attempts: { type: 'integer' },
  status: { type: ['integer', 'null'], description: 'That the receiver answered to the last attempt.' },
  error: { type: ['string', 'null'] },
  excerpt: { type: ['string', 'null'], description: 'The beginning of the answer that refused it.' },
  at: { ...time, description: 'The last attempt.' },
  nextAt: { ...timeOrNull, description: 'The next attempt.' },
});

/** Routes of webhooks. `wakeLanes` gets the lanes that have work. */
export function webhookRoutes(runtime: Runtime, wakeLanes: (laneIds: readonly number[]) => void): Route[] {
  const { database, clock } = runtime;
  const writer = createWebhookWriter(runtime);

  const find = async ({ caller, params }: Pick<ApiRequest, 'caller' | 'params'>): Promise<WebhookRow> => {
    const id = idOf(params);
    const row = await readWebhook(database, caller.accountId, id);
    if (row === undefined) throw unknown();
    return row;
  };
  const answer = (code: number, schema = shownWebhook) => ({
    [code]: { description: 'The webhook.', schema },
  });
  const common = { tag: 'webhooks', action: 'webhooks.write' } as const;

  return [
    route<Required<Pick<WebhookValues, 'url' | 'events'>> & Pick<WebhookValues, 'secret'>>({
      ...common,
      method: 'POST',
      path: '/webhooks',
      summary: 'Create a webhook. The answer is the only place where its secret ever stands.',
      secretAnswer: true,
      body: objectSchema({ url, events, secret }, ['url', 'events']),
      answers: answer(201, webhookWithSecret),
      run: async ({ caller, body, ids }) => {
        const made = await writer.create({ caller, ids }, body);
        return { status: 201, body: { ...showWebhook(made.row), secret: made.secret } };
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/webhooks',
      action: 'webhooks.read',
      summary: 'The webhooks, newest first.',
      query: pageQuery,
      answers: { 200: { description: 'A page of webhooks.', schema: pageSchema(shownWebhook) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const { rows, total } = await listWebhooks(database, caller.accountId, page);
        return { status: 200, body: pageOf(rows, total, page.limit, showWebhook) };
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/webhooks/{id}',
      action: 'webhooks.read',
      summary: 'One webhook.',
      answers: answer(200),
      run: async (request) => ({ status: 200, body: showWebhook(await find(request)) }),
    }),
    route<WebhookValues>({
      ...common,
      method: 'PUT',
      path: '/webhooks/{id}',
      summary:
        'Change a webhook; members that are left out stay as they are. A disabled one forgets what waits for it.',
      body: { ...objectSchema({ url, events, secret, status }), minProperties: 1 },
      answers: answer(200),
      run: async ({ caller, params, body, ids }) => {
        return { status: 200, body: showWebhook(await writer.change({ caller, ids }, idOf(params), body)) };
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/webhooks/{id}/rotate-secret',
      summary: 'Make a new secret. For 24 hours events are signed with the one before as well.',
      secretAnswer: true,
      answers: answer(200, webhookWithSecret),
      run: async ({ caller, params, ids }) => {
        const made = await writer.rotate({ caller, ids }, idOf(params));
        return { status: 200, body: { ...showWebhook(made.row), secret: made.secret } };
      },
    }),
    route({
      ...common,
      method: 'DELETE',
      path: '/webhooks/{id}',
      summary: 'Delete a webhook, with what waits for it.',
      answers: { 204: { description: 'It is gone.' } },
      run: async ({ caller, params, ids }) => {
        await writer.remove({ caller, ids }, idOf(params));
        return { status: 204 };
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/webhooks/{id}/test',
      summary: 'Send a test event to a webhook, whatever types it asks for.',
      answers: {
        202: {
          description: 'The event; what came of it is among the deliveries.',
          schema: objectSchema({ event: uuid }, ['event']),
        },
      },
      run: async (request) => {
        const row = await find(request);
        if (row.status !== 'active') {
          throw new Failure(
            'WRONG_STATE',
            'This webhook is disabled. Set its status to active, then test it.',
          );
        }
        const made = { event: request.ids.next(), delivery: request.ids.next() };
        logOperatorEvents(runtime.log, await insertTest(database, row, made, clock.now()));
        wakeLanes([row.lane_id]);
        return { status: 202, body: { event: made.event } };
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/webhooks/{id}/deliveries',
      action: 'webhooks.read',
      summary: 'What came of sending events to a webhook, the newest first.',
      query: pageQuery,
      answers: { 200: { description: 'A page of deliveries.', schema: pageSchema(shownDelivery) } },
      run: async (request) => {
        const { id } = await find(request);
        const page = readPage(request.query);
        const { rows, total } = await listDeliveries(database, id, page);
        return { status: 200, body: pageOf(rows, total, page.limit, showDelivery) };
      },
    }),
  ];
}

function idOf({ id }: Readonly<Record<string, string>>): string {
  if (!isUuid(id)) throw unknown();
  return id;
}

function unknown(): Failure {
  return new Failure('NOT_FOUND', 'There is no webhook with this id.');
}

function showDelivery(row: DeliveryRow) {
  return {
    id: row.id,
    event: row.event_id,
    type: row.type,
    state: row.state,
    attempts: row.attempts,
    status: row.status,
    error: row.error,
    excerpt: row.excerpt,
    at: row.at,
    nextAt: row.next_at,
  };
}
