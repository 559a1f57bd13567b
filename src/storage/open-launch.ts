/** Opening launches: their audience becomes messages and waiting rows, page by page, each page one statement. */
import { FIRST_ID, PIPELINE_CODES } from './claim.ts';
import type { Sql, SqlValue } from './database.ts';
import { counting } from './launch-counts.ts';
import type { AudienceCondition, LaunchRow } from './launches.ts';
import { STATE_CODES } from './states.ts';

export interface OpenedPage {
  readonly opened: number;
  readonly more: boolean;
  /** Where the next page begins. */
  readonly openedTo: string | null;
}

/** The audience's values begin after those of the statement of a page. */
export const FIRST_PAGE_VALUE = 7;
/** And after those of the statement that counts. */
export const FIRST_COUNT_VALUE = 5;

/** Whom a page looks at: subscriptions in the order of their ids; `s` is the subscription, `p` the profile. */
function lookedAt(condition: AudienceCondition, pageRows: number): string {
  const after = `s.id > coalesce($6::uuid, '${FIRST_ID}'::uuid)`;
  const limit = `order by s.id limit ${Math.trunc(pageRows)}`;
  if (condition.named === true) {
    return `looked as materialized (
       select s.id, s.profile_id from l join profile p on p.account_id = l.account_id and ${condition.text}
       join subscription s on s.profile_id = p.id and s.resource_id = $4::uuid and s.channel_id = $5::int
       where ${after} and s.status = 'subscribed' ${limit}),
     page as (select * from looked)`;
  }
  // As many are looked at whoever of them is meant, so that no page takes long; constants make it a walk along the index.
  const profile = condition.text === 'true' ? '' : 'join profile p on p.id = s.profile_id';
  return `looked as materialized (
       select s.* from subscription s where s.resource_id = $4::uuid and s.channel_id = $5::int and ${after} ${limit}),
     page as materialized (
       select s.id, s.profile_id from looked s ${profile} where s.status = 'subscribed' and (${condition.text}))`;
}

/**
 * Turns the next page of a direct launch's audience into messages and waiting rows, in one statement: whoever is
 * subscribed, in the order of subscription ids. Opening a page again changes nothing.
 */
export async function openDirectPage(
  sql: Sql,
  launch: LaunchRow,
  openedTo: string | null,
  laneId: number,
  pageRows: number,
  nowMs: number,
  condition: AudienceCondition,
): Promise<OpenedPage> {
  const values: readonly SqlValue[] = [
    launch.id,
    laneId,
    new Date(nowMs),
    launch.resource_id,
    launch.channel_id,
    openedTo,
    ...condition.values,
  ];
  const [row] = await sql.query<{ opened: number; more: boolean; opened_to: string | null }>(
    `with l as materialized (
       select launch.*, mailing.channel_id from launch join mailing on mailing.id = launch.mailing_id
       where launch.id = $1 and launch.opening and launch.state = 'sending'
         and launch.opened_to is not distinct from $6::uuid for update of launch),
     ${lookedAt(condition, pageRows)},
     opened as (
       insert into message (id, account_id, channel_id, channel_version_id, lane_id, launch_id, profile_id,
         subscription_id, resource_id, sender_id, state, class, updated_at)
       select launch_message_id(l.id, page.id), l.account_id, l.channel_id, l.channel_version_id, $2, l.id,
         page.profile_id, page.id, l.resource_id, l.sender_id, ${STATE_CODES.accepted}, l.class, $3
       from l, page on conflict (id) do nothing
       returning id, account_id, channel_version_id, launch_id, prior, state),
     queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select id, account_id, $2, $3, ${PIPELINE_CODES.message}, id, channel_version_id from opened),
     ${counting('opened', '$3')}
     update launch set
       opened_to = coalesce((select id from looked order by id desc limit 1), opened_to),
       opened = opened + (select count(*) from opened),
       opening = (select count(*) from looked) >= ${Math.trunc(pageRows)}
     where id in (select id from l)
     returning (select count(*)::int from opened) as opened, opening as more, opened_to`,
    values,
  );
  // Without a row the launch was paused or stopped meanwhile, or another process has its turn: to be looked at again.
  return row === undefined
    ? { opened: 0, more: true, openedTo }
    : { opened: row.opened, more: row.more, openedTo: row.opened_to };
}

/** Counts whom a launch still has to open and keeps how many messages it will have. */
export async function countAudience(
  sql: Sql,
  launch: LaunchRow,
  openedTo: string | null,
  condition: AudienceCondition,
): Promise<void> {
  const profile = condition.text === 'true' ? '' : 'join profile p on p.id = s.profile_id';
  await sql.query(
    `update launch set expected = opened + (
       select count(*) from subscription s ${profile}
       where s.resource_id = $2::uuid and s.channel_id = $3::int and s.id > coalesce($4::uuid, '${FIRST_ID}'::uuid)
         and s.status = 'subscribed' and (${condition.text}))
     where id = $1 and opening`,
    [launch.id, launch.resource_id, launch.channel_id, openedTo, ...condition.values],
  );
}

/** Opens an indirect launch: one message for its resource, in the given pipeline. */
export async function openIndirect(
  sql: Sql,
  launchId: string,
  laneId: number,
  pipeline: 'message' | 'moderate',
  nowMs: number,
): Promise<OpenedPage> {
  const [row] = await sql.query<{ opened: number }>(
    `with l as materialized (
       select launch.*, mailing.channel_id from launch join mailing on mailing.id = launch.mailing_id
       where launch.id = $1 and launch.opening and launch.state = 'sending' for update of launch),
     opened as (
       insert into message (id, account_id, channel_id, channel_version_id, lane_id, launch_id, resource_id, sender_id,
         state, class, updated_at)
       select launch_message_id(id, resource_id), account_id, channel_id, channel_version_id, $2, id, resource_id,
         sender_id, ${STATE_CODES.accepted}, class, $3 from l
       on conflict (id) do nothing returning id, account_id, channel_version_id, launch_id, prior, state),
     queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select id, account_id, $2, $3, ${PIPELINE_CODES[pipeline]}, id, channel_version_id from opened),
     ${counting('opened', '$3')}
     update launch set opened = opened + (select count(*) from opened), opening = false
     where id in (select id from l) returning (select count(*)::int from opened) as opened`,
    [launchId, laneId, new Date(nowMs)],
  );
  return { opened: row?.opened ?? 0, more: row === undefined, openedTo: null };
}
