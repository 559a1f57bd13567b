/** The keyword objects of a message's runs (channel format, section 5). */
import type { Scope } from '../../expression/scope.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import type { ResourceRow, SenderRow } from '../../storage/entities.ts';
import type { KnownLaunch, Opened } from '../directory/directory.ts';
import type { KnownChannel } from '../directory/known-channel.ts';

/** What surrounds a message: cached objects, shared by all messages that have them in common. */
export interface ScopeInput {
  readonly channel: KnownChannel;
  readonly sender: Opened<SenderRow> | undefined;
  readonly resource: Opened<ResourceRow> | undefined;
  readonly account: Opened<{ id: string; name: string }> | undefined;
  readonly launch: KnownLaunch | undefined;
}

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({});

/** The keywords of a message besides `template`, which is rendered from them. */
export function keywordsOf(row: ClaimedRow, context: ScopeInput, now: string): Scope {
  const { channel, launch } = context;
  const { sid, id, communication } = channel.document;
  const direct = communication === 'direct';
  return {
    sender: context.sender?.values ?? NOTHING,
    resource: context.resource?.values ?? NOTHING,
    account: context.account?.values ?? NOTHING,
    campaign: launch?.values ?? NOTHING,
    camp_schedule: scheduleOf(launch),
    message: { id: row.message_id, attempt: row.attempt },
    channel: { sid, id },
    now,
    profile: direct ? profileOf(row) : undefined,
    subscription: direct ? (row.subscription ?? NOTHING) : undefined,
    template: undefined,
  };
}

function profileOf(row: ClaimedRow): Readonly<Record<string, unknown>> {
  return row.profile === null ? NOTHING : { external_id: row.profile_external_id, ...row.profile };
}

function scheduleOf(launch: KnownLaunch | undefined): Readonly<Record<string, unknown>> {
  if (launch === undefined) return NOTHING;
  const { schedule } = launch.row;
  return {
    start_time: momentText(schedule?.startAt, schedule?.startAtUtc) ?? launch.row.started_at.toISOString(),
    stop_time: momentText(schedule?.stopAt, schedule?.stopAtUtc) ?? null,
  };
}

/** As it was written, where that names a moment everywhere. */
function momentText(written: string | undefined, utc: string | undefined): string | undefined {
  return written !== undefined && /(Z|[+-]\d\d:\d\d)$/i.test(written) ? written : (utc ?? written);
}

/** `$origin` of the message, moderate and stop pipelines (format, section 4). */
export function originOf(
  row: ClaimedRow,
  launch: KnownLaunch | undefined,
): Readonly<Record<string, unknown>> {
  return Object.freeze({
    send_message_id: row.message_id,
    launch_id: row.launch_id,
    a_id: row.account_id,
    c_id: launch?.row.mailing_id ?? null,
  });
}
