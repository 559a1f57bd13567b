/** Messages of trigger mailings: written with their waiting rows, each dedupe key once for a launch and a person. */
import { messageColumns, type NewMessage } from './accept.ts';
import { PIPELINE_CODES } from './claim.ts';
import type { Sql } from './database.ts';
import { counting } from './launch-counts.ts';
import { STATE_CODES } from './states.ts';

export interface NewTriggered extends NewMessage {
  readonly launchId: string;
  readonly dedupeKey: string | null;
}

/** A message whose dedupe key was given before, and the one that it made then. */
export interface RepeatedTrigger {
  readonly id: string;
  readonly message_id: string;
  /** Null: it was made in this moment. */
  readonly state: number | null;
}

/** Writes messages of launches in one statement. Gives those that were repeats. */
export function insertTriggered(
  sql: Sql,
  messages: readonly NewTriggered[],
  nowMs: number,
): Promise<RepeatedTrigger[]> {
  return sql.query<RepeatedTrigger>(
    `with given as (
       select *, coalesce(profile, resource) as target from unnest($2::uuid[], $3::uuid[], $4::int[], $5::int[],
         $6::int[], $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::text[], $13::uuid[], $14::text[],
         $15::int[])
         as g (id, account, channel, version, lane, profile, subscription, resource, sender, class, content, launch, key, route)),
     named as (
       insert into trigger_key (launch_id, target_id, key, message_id)
       select distinct on (launch, target, key) launch, target, key, id from given where key is not null
       order by launch, target, key, id
       on conflict (launch_id, target_id, key) do update set key = excluded.key
       returning launch_id, target_id, key, message_id),
     kept as (
       insert into message (id, account_id, channel_id, channel_version_id, lane_id, profile_id, subscription_id,
         resource_id, sender_id, state, class, content, launch_id, route_id, updated_at)
       select id, account, channel, version, lane, profile, subscription, resource, sender,
         ${STATE_CODES.accepted}, class, content::json, launch, route, $1 from given
       where key is null or id in (select message_id from named)
       on conflict (id) do nothing
       returning id, account_id, lane_id, channel_version_id, launch_id, prior, state),
     queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select id, account_id, lane_id, $1, ${PIPELINE_CODES.message}, id, channel_version_id from kept),
     ${counting('kept', '$1')}
     select g.id, n.message_id, m.state
     from given g join named n on n.launch_id = g.launch and n.target_id = g.target and n.key = g.key
     left join message m on m.id = n.message_id
     where n.message_id <> g.id`,
    [
      new Date(nowMs),
      ...messageColumns(messages),
      messages.map((message) => message.launchId),
      messages.map((message) => message.dedupeKey),
      messages.map((message) => message.routeId ?? null),
    ],
  );
}
