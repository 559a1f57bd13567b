/** Requests of providers whose run failed, and what was refused. */
import { Failure } from '../../errors.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import { runAgain } from '../../flows/intake/failed-requests.ts';
import { readPayload } from '../../flows/payload.ts';
import { createRedact } from '../../flows/redact.ts';
import type { ResumedRun } from '../../flows/run/resumed-run.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import { isObject } from '../../json.ts';
import { writeAudit } from '../../storage/audit.ts';
import {
  countFailedRequests,
  type ListenerRequestFilter,
  type ListenerRequestRow,
  listListenerRequests,
  listRefusals,
  readListenerRequest,
} from '../../storage/listener-requests.ts';
import { pageOf, readPage } from '../page.ts';
import { type Route, route } from '../route.ts';
import { anyObject, objectSchema, pageQuery, pageSchema, sid, time, uuid } from '../schemas.ts';

const BODY_CHARACTERS = 16_384;
const states = ['failed', 'running', 'done'];

const members = {
  id: uuid,
  channel: sid,
  pipe: { type: ['integer', 'null'], description: 'The pipe at which its run begins again.' },
  state: { enum: states },
  reason: { type: 'string', description: 'The code of its last failure.' },
  message: { type: 'string', description: 'Its last failure as a sentence.' },
  runs: { type: 'integer' },
  receivedAt: time,
  failedAt: time,
} as const;
const shownRequest = objectSchema(members, Object.keys(members));

const filterQuery = {
  channel: { type: 'string', description: 'Only requests to this channel.' },
  reason: { type: 'string', description: 'Only requests with exactly this reason.' },
  state: { enum: states, description: 'Only requests in this state.' },
  from: { ...time, description: 'Only requests that came at this time or later.' },
  to: { ...time, description: 'Only requests that came at this time or earlier.' },
} as const;

const counted = objectSchema({ channel: sid, reason: { type: 'string' }, count: { type: 'integer' } }, [
  'channel',
  'reason',
  'count',
]);

/** Routes of providers' requests. `wakeLanes` gets the lanes that have work. */
export function listenerRequestRoutes(
  runtime: Runtime,
  directory: Directory,
  wakeLanes: (laneIds: readonly number[]) => void,
): Route[] {
  const { database } = runtime;

  const run = async (
    { accountId, tokenId }: { readonly accountId: string; readonly tokenId: string | null },
    filter: ListenerRequestFilter,
    subject: string,
    auditId: string,
  ) => {
    const ran = await database.transaction(async (tx) => {
      const again = await runAgain(runtime, tx, accountId, filter);
      await writeAudit(tx, {
        id: auditId,
        accountId,
        tokenId,
        action: 'listener.run',
        subject,
        after: { requests: again.ids.length },
        nowMs: runtime.clock.now(),
      });
      return again;
    });
    wakeLanes(ran.lanes);
    return ran.ids;
  };

  return [
    route({
      method: 'GET',
      path: '/listener/requests',
      action: 'read',
      tag: 'listener',
      summary: 'Requests of providers whose run failed, newest first; they can be run again.',
      query: { ...pageQuery, ...filterQuery },
      answers: { 200: { description: 'A page of requests.', schema: pageSchema(shownRequest) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const found = await listListenerRequests(database, caller.accountId, filterOf(query), page);
        return { status: 200, body: pageOf(found.rows, found.total, page.limit, shown) };
      },
    }),
    route({
      method: 'GET',
      path: '/listener/counts',
      action: 'read',
      tag: 'listener',
      summary:
        'How many requests failed and were refused, by channel and reason, with the last refused ones.',
      answers: {
        200: {
          description: 'The counts.',
          schema: objectSchema(
            {
              failed: { type: 'array', items: counted },
              refused: {
                type: 'array',
                items: objectSchema(
                  {
                    ...{ channel: sid, reason: { type: 'string' }, count: { type: 'integer' }, lastAt: time },
                    last: { type: 'array', items: anyObject },
                  },
                  ['channel', 'reason', 'count', 'lastAt', 'last'],
                ),
              },
            },
            ['failed', 'refused'],
          ),
        },
      },
      run: async ({ caller }) => {
        const [failed, refused] = await Promise.all([
          countFailedRequests(database, caller.accountId),
          listRefusals(database, caller.accountId),
        ]);
        return {
          status: 200,
          body: {
            failed,
            refused: refused.map(({ last_at: lastAt, samples: last, ...each }) => ({
              ...each,
              lastAt,
              last,
            })),
          },
        };
      },
    }),
    route({
      method: 'GET',
      path: '/listener/requests/{id}',
      action: 'read',
      tag: 'listener',
      summary: 'One request as it came, without headers that hold secrets, and why its run failed.',
      answers: {
        200: {
          description: 'The request.',
          schema: objectSchema({ ...members, request: anyObject }, [...Object.keys(members), 'request']),
        },
      },
      run: async ({ caller, params }) => {
        const id = params.id ?? '';
        const row = isUuid(id) ? await readListenerRequest(database, caller.accountId, id) : undefined;
        if (row === undefined) throw notFound();
        return {
          status: 200,
          body: { ...shown(row), request: await requestOf(runtime, directory, row.payload) },
        };
      },
    }),
    route({
      method: 'POST',
      path: '/listener/requests/{id}/run',
      action: 'messages.write',
      tag: 'listener',
      summary: 'Run a failed request again; what it registered before is not registered twice.',
      answers: {
        202: {
          description: 'It is on its way.',
          schema: objectSchema({ run: { type: 'integer' } }, ['run']),
        },
      },
      run: async ({ caller, params, ids }) => {
        const id = params.id ?? '';
        const row = isUuid(id) ? await readListenerRequest(database, caller.accountId, id) : undefined;
        if (row === undefined) throw notFound();
        const ran = await run(caller, { ids: [id] }, id, ids.next());
        if (ran.length === 0) {
          throw new Failure(
            'WRONG_STATE',
            `The request is ${row.state === 'done' ? 'done' : 'running'}; only a failed one can be run again.`,
          );
        }
        return { status: 202, body: { run: ran.length } };
      },
    }),
    route<Readonly<Record<string, unknown>>>({
      method: 'POST',
      path: '/listener/requests/run',
      action: 'messages.write',
      tag: 'listener',
      summary: 'Run failed requests again that fit a filter, up to 1,000 in one call, the oldest first.',
      body: {
        ...objectSchema({
          channel: filterQuery.channel,
          reason: filterQuery.reason,
          from: filterQuery.from,
          to: filterQuery.to,
        }),
        minProperties: 1,
      },
      answers: {
        202: {
          description: 'How many are on their way.',
          schema: objectSchema({ run: { type: 'integer' } }, ['run']),
        },
      },
      run: async ({ caller, body, ids }) => {
        const ran = await run(caller, filterOf(body), JSON.stringify(body), ids.next());
        return { status: 202, body: { run: ran.length } };
      },
    }),
  ];
}

function notFound(): Failure {
  return new Failure('NOT_FOUND', 'There is no failed request with this id.');
}

function filterOf(given: Readonly<Record<string, unknown>>): ListenerRequestFilter {
  const text = (name: string) => given[name] as string | undefined;
  const moment = (name: string) => (text(name) === undefined ? undefined : new Date(text(name) ?? ''));
  return {
    channel: text('channel'),
    reason: text('reason'),
    state: text('state') as ListenerRequestFilter['state'],
    from: moment('from'),
    to: moment('to'),
  };
}

/** The request as it came; secrets of its sender are masked. */
async function requestOf({ vault }: Runtime, directory: Directory, payload: string) {
  const run = readPayload(vault, payload) as ResumedRun;
  const sender = typeof run.senderId === 'string' ? await directory.sender(run.senderId) : undefined;
  const redact = createRedact(sender?.secrets ?? []);
  const { body, headers = {}, method, path, form } = isObject(run.origin) ? run.origin : {};
  const text = body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : body;
  return {
    method,
    path,
    sender: sender?.row.sid ?? null,
    ...(JSON.parse(redact(JSON.stringify({ form: form ?? {}, headers }))) as object),
    body: typeof text === 'string' ? redact(text).slice(0, BODY_CHARACTERS) : null,
  };
}

function shown(row: ListenerRequestRow) {
  return {
    id: row.id,
    channel: row.channel,
    pipe: row.pipe,
    state: row.state,
    reason: row.reason,
    message: row.message,
    runs: row.runs,
    receivedAt: row.received_at,
    failedAt: row.failed_at,
  };
}
