/** Writing what enters by the doors: messages and provider requests, each with its waiting row. */
import { PIPELINE_CODES } from './claim.ts';
import type { Sql, SqlValue } from './database.ts';
import { STATE_CODES } from './states.ts';

export interface NewMessage {
  readonly id: string;
  readonly accountId: string;
  readonly channelId: number;
  readonly channelVersionId: number;
  readonly laneId: number;
  readonly profileId: string | null;
  readonly subscriptionId: string | null;
  readonly resourceId: string;
  readonly senderId: string | null;
  /** What it keeps of the rule that chose its sender. */
  readonly routeId?: number | null;
  readonly class: string;
  /** JSON text of the message's own values and attributes. */
  readonly content: string;
  readonly expiresAtMs: number | null;
}

/**
 * What every new message has, a column each: id, account, channel, version, lane, profile, subscription, resource,
 * sender, class, content.
 */
export function messageColumns(messages: readonly NewMessage[]): SqlValue[] {
  return [
    messages.map((message) => message.id),
    messages.map((message) => message.accountId),
    messages.map((message) => message.channelId),
    messages.map((message) => message.channelVersionId),
    messages.map((message) => message.laneId),
    messages.map((message) => message.profileId),
    messages.map((message) => message.subscriptionId),
    messages.map((message) => message.resourceId),
    messages.map((message) => message.senderId),
    messages.map((message) => message.class),
    messages.map((message) => message.content),
  ];
}

/** Writes messages and the rows in which they wait, in one statement. A message whose id is there is left as it is. */
export async function insertMessages(
  sql: Sql,
  messages: readonly NewMessage[],
  nowMs: number,
): Promise<void> {
  const routed = messages.some((message) => typeof message.routeId === 'number');
  await sql.query(
    `with given as (
       select * from unnest($2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::int[], $7::uuid[], $8::uuid[], $9::uuid[],
         $10::uuid[], $11::text[], $12::text[], $13::float8[]${routed ? ', $14::int[]' : ''})
         as g (id, account, channel, version, lane, profile, subscription, resource, sender, class, content, expires${routed ? ', route' : ''})),
     kept as (
       insert into message (id, account_id, channel_id, channel_version_id, lane_id, profile_id, subscription_id,
         resource_id, sender_id, state, class, content, expires_at, updated_at${routed ? ', route_id' : ''})
       select id, account, channel, version, lane, profile, subscription, resource, sender,
         ${STATE_CODES.accepted}, class, content::json, to_timestamp(expires / 1000), $1${routed ? ', route' : ''} from given
       on conflict (id) do nothing returning id, account_id, lane_id, channel_version_id)
     insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
     select id, account_id, lane_id, $1, ${PIPELINE_CODES.message}, id, channel_version_id from kept`,
    [
      new Date(nowMs),
      ...messageColumns(messages),
      messages.map((message) => message.expiresAtMs),
      ...(routed ? [messages.map((message) => message.routeId ?? null)] : []),
    ],
  );
}

export interface NewRequest {
  readonly id: string;
  readonly accountId: string | null;
  readonly laneId: number;
  readonly channelId: number;
  readonly channelVersionId: number;
  readonly pipe: number;
  /** Text of the request, written by `encodeValue`. */
  readonly payload: string;
  /** The sender that the address named, or null. */
  readonly senderId: string | null;
  /** Names the request among repeats of its channel and sender, or null. */
  readonly dedupeKey: string | null;
}

/** Writes provider requests that arrived together. A request whose dedupe key was seen before is dropped. */
export async function insertRequests(
  sql: Sql,
  requests: readonly NewRequest[],
  nowMs: number,
): Promise<void> {
  const deduped = requests.some((request) => request.dedupeKey !== null);
  await sql.query(
    `with given as (
       select * from unnest($2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::int[], $7::int[], $8::text[]${deduped ? ', $9::text[], $10::text[]' : ''})
         as g (id, account, lane, channel, version, pipe, payload${deduped ? ', key, scope' : ''}))
     ${
       deduped
         ? `, fresh as (
       insert into seen (scope, key, seen_at)
       select distinct scope, key, $1::timestamptz from given where key is not null
       on conflict do nothing returning scope, key)`
         : ''
     }
     insert into waiting (id, account_id, lane_id, due_at, pipeline, pipe, channel_version_id, payload)
     select id, account, lane, $1, ${PIPELINE_CODES.listener}, pipe, version, payload from given
     ${
       deduped
         ? `where key is null or (exists (select from fresh f where f.scope = given.scope and f.key = given.key)
              and id = (select g.id from given g where g.scope = given.scope and g.key = given.key order by g.id limit 1))`
         : ''
     }`,
    [
      new Date(nowMs),
      requests.map((request) => request.id),
      requests.map((request) => request.accountId),
      requests.map((request) => request.laneId),
      requests.map((request) => request.channelId),
      requests.map((request) => request.channelVersionId),
      requests.map((request) => request.pipe),
      requests.map((request) => request.payload),
      ...(deduped
        ? [
            requests.map((request) => request.dedupeKey),
            requests.map((request) => `request/${request.channelId}/${request.senderId ?? ''}`),
          ]
        : []),
    ],
  );
}

export interface NewTask {
  readonly id: string;
  readonly accountId: string;
  readonly laneId: number;
  readonly dueMs: number;
  readonly pipeline: number;
  readonly messageId: string | null;
  readonly channelVersionId: number;
  readonly payload: string | null;
}

/** Writes one event that waits for something other than a message's first pipe. */
export async function insertWaiting(sql: Sql, task: NewTask): Promise<void> {
  await sql.query(
    `insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id, payload)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      task.id,
      task.accountId,
      task.laneId,
      new Date(task.dueMs),
      task.pipeline,
      task.messageId,
      task.channelVersionId,
      task.payload,
    ],
  );
}
