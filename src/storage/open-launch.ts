/** Opening launches: their audience becomes messages and waiting rows, page by page, each page one statement. */
import { FIRST_ID, PIPELINE_CODES } from './claim.ts';
import type { Sql, SqlValue } from './database.ts';
import { counting } from './launch-counts.ts';
import type { AudienceCondition, LaunchChoice, LaunchRow } from './launches.ts';
import { STATE_CODES } from './states.ts';

export interface OpenedPage {
  readonly opened: number;
  readonly more: boolean;
  /** Where the next page begins. */
  readonly openedTo: string | null;
  /** The lanes of what was opened, where senders were chosen. */
  readonly lanes?: readonly number[] | null;
}

/** The audience's values begin after those of the statement of a page. */
export const FIRST_PAGE_VALUE = 7;
/** And after those of the statement that counts. */
export const FIRST_COUNT_VALUE = 5;
/** Without an audience, what chooses the sender begins here. */
export const FIRST_INDIRECT_VALUE = 4;

/** Whom a page looks at: subscriptions in the order of their ids; `s` is the subscription, `p` the profile. */
function lookedAt(condition: AudienceCondition, selected: string, pageRows: number): string {
  const after = `s.id > coalesce($6::uuid, '${FIRST_ID}'::uuid)`;
  const limit = `order by s.id limit ${Math.trunc(pageRows)}`;
  if (condition.named === true) {
    // From person to subscription, whatever the statistics say (docs/decisions/0011): the other way is the whole audience.
    return `looked as materialized (
       select s.id, s.profile_id${selected} from l
       cross join lateral (
         select * from profile p where p.account_id = l.account_id and ${condition.text} offset 0) as p
       cross join lateral (
         select * from subscription found where found.profile_id = p.id
           and found.resource_id is not distinct from $4::uuid and found.channel_id is not distinct from $5::int
         offset 0) as s
       where ${after} and s.status = 'subscribed' ${limit}),
     page as (select * from looked)`;
  }
  // As many are looked at anyone who of them is meant, so that no page takes long; constants make it a walk along the index.
  const profile = condition.text === 'true' && selected === '' ? '' : 'join profile p on p.id = s.profile_id';
  return `looked as materialized (
       select s.* from subscription s where s.resource_id = $4::uuid and s.channel_id = $5::int and ${after} ${limit}),
     page as materialized (
       select s.id, s.profile_id${selected} from l cross join looked s ${profile}
       where s.status = 'subscribed' and (${condition.text}))`;
}

/**
 * Turns the next page of a direct launch's audience into messages and waiting rows, in one statement: anyone who is
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
  choice?: LaunchChoice,
): Promise<OpenedPage> {
  const { selected, columns, values, joined, lane, state, lanes } = chosenParts(
    choice,
    'launch_message_id(l.id, page.id)',
    'page.rule',
  );
  const given: readonly SqlValue[] = [
    launch.id,
    laneId,
    new Date(nowMs),
    launch.resource_id,
    launch.channel_id,
    openedTo,
    ...condition.values,
    ...(choice?.values ?? []),
  ];
  type Row = { opened: number; more: boolean; opened_to: string | null; lanes?: number[] | null };
  const [row] = await sql.query<Row>(
    `with l as materialized (
       select launch.*, mailing.channel_id, mailing.name as mailing_name
       from launch join mailing on mailing.id = launch.mailing_id
       where launch.id = $1 and launch.opening and launch.state = 'sending'
         and launch.opened_to is not distinct from $6::uuid for update of launch),
     ${lookedAt(condition, selected, pageRows)},
     opened as (
       insert into message (id, account_id, channel_id, channel_version_id, lane_id, launch_id, profile_id,
         subscription_id, resource_id, class, updated_at, sender_id, state${columns})
       select launch_message_id(l.id, page.id), l.account_id, l.channel_id, l.channel_version_id, ${lane}, l.id,
         page.profile_id, page.id, l.resource_id, l.class, $3, ${values}
       from l cross join page${joined} on conflict (id) do nothing
       returning id, account_id, lane_id, channel_version_id, launch_id, prior, state),
     queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select id, account_id, lane_id, $3, ${PIPELINE_CODES.message}, id, channel_version_id from opened${state}),
     ${counting('opened', '$3')}
     update launch set
       opened_to = coalesce((select id from looked order by id desc limit 1), opened_to),
       opened = opened + (select count(*) from opened),
       opening = (select count(*) from looked) >= ${Math.trunc(pageRows)}
     where id in (select id from l)
     returning (select count(*)::int from opened) as opened, opening as more, opened_to${lanes}`,
    given,
    'authored',
  );
  // Without a row the launch was paused or stopped in the meantime, or another process has its turn: to be looked at again.
  return row === undefined
    ? { opened: 0, more: true, openedTo }
    : { opened: row.opened, more: row.more, openedTo: row.opened_to, lanes: row.lanes ?? null };
}

/** Counts whom a launch still has to open, keeps and gives how many messages it will have. */
export async function countAudience(
  sql: Sql,
  launch: LaunchRow,
  openedTo: string | null,
  condition: AudienceCondition,
): Promise<number> {
  const profile = condition.text === 'true' ? '' : 'join profile p on p.id = s.profile_id';
  const [row] = await sql.query<{ expected: number }>(
    `update launch set expected = opened + (
       select count(*) from subscription s ${profile}
       where s.resource_id = $2::uuid and s.channel_id = $3::int and s.id > coalesce($4::uuid, '${FIRST_ID}'::uuid)
         and s.status = 'subscribed' and (${condition.text}))
     where id = $1 and opening returning expected`,
    [launch.id, launch.resource_id, launch.channel_id, openedTo, ...condition.values],
    'authored',
  );
  return row?.expected ?? 0;
}

/** Opens an indirect launch: one message for its resource, in the given pipeline. */
export async function openIndirect(
  sql: Sql,
  launchId: string,
  laneId: number,
  pipeline: 'message' | 'moderate',
  nowMs: number,
  choice?: LaunchChoice,
): Promise<OpenedPage> {
  const { columns, values, joined, lane, state, lanes } = chosenParts(
    choice,
    'launch_message_id(l.id, l.resource_id)',
    choice?.rule ?? '',
    pipeline === 'message',
  );
  // Rules that ask about people fit nobody here.
  const nobody =
    choice === undefined ? '' : ' left join profile p on false left join subscription s on false';
  const [row] = await sql.query<{ opened: number; lanes?: readonly number[] }>(
    `with l as materialized (
       select launch.*, mailing.channel_id, mailing.name as mailing_name from launch join mailing on mailing.id = launch.mailing_id
       where launch.id = $1 and launch.opening and launch.state = 'sending' for update of launch),
     opened as (
       insert into message (id, account_id, channel_id, channel_version_id, lane_id, launch_id, resource_id, class,
         updated_at, sender_id, state${columns})
       select launch_message_id(l.id, l.resource_id), l.account_id, l.channel_id, l.channel_version_id, ${lane}, l.id,
         l.resource_id, l.class, $3, ${values} from l${nobody}${joined}
       on conflict (id) do nothing
       returning id, account_id, lane_id, channel_version_id, launch_id, prior, state),
     queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select id, account_id, lane_id, $3, ${PIPELINE_CODES[pipeline]}, id, channel_version_id from opened${state}),
     ${counting('opened', '$3')}
     update launch set opened = opened + (select count(*) from opened), opening = false
     where id in (select id from l) returning (select count(*)::int from opened) as opened${lanes}`,
    [launchId, laneId, new Date(nowMs), ...(choice?.values ?? [])],
    'authored',
  );
  return { opened: row?.opened ?? 0, more: row === undefined, openedTo: null, lanes: row?.lanes ?? null };
}

/**
 * What differs in the statement of a page where senders are chosen. A message without a fitting rule fails at once; not
 * so a moderation, whose run must end for its mailing to go on.
 */
function chosenParts(choice: LaunchChoice | undefined, id: string, rule: string, fails = true) {
  const { accepted, failed } = STATE_CODES;
  if (choice === undefined) {
    const values = `l.sender_id, ${accepted}`;
    return { selected: '', columns: '', values, joined: '', lane: '$2::int', state: '', lanes: '' };
  }
  const sender = 'pick.senders[w.place]';
  const unchosen = fails ? `${sender} is null` : 'false';
  return {
    selected: `, ${choice.rule} as rule`,
    columns: ', reason, route_id',
    values: `${sender}, case when ${unchosen} then ${failed} else ${accepted} end,
      case when ${unchosen} then 'SENDER_NOT_CHOSEN' end, pick.route`,
    joined: ` ${choice.join(id, rule)}`,
    lane: 'coalesce(pick.lanes[w.place], $2::int)',
    state: ` where state = ${accepted}`,
    lanes: ', (select json_agg(distinct lane_id) from opened) as lanes',
  };
}
