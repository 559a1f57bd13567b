/** Whom a mailing would reach, and who is left out for which reason; asked before anything begins. */
import { isSealed } from '../../access/vault.ts';
import { addressField } from '../../channel/address.ts';
import type { ChannelDocument } from '../../channel/document.ts';
import { Failure, type Problem } from '../../errors.ts';
import { own } from '../../json.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import { audienceCondition } from '../../storage/audience.ts';
import {
  type AudiencePlace,
  countByStatus,
  FIRST_COUNTED_VALUE,
  FIRST_PAGED_VALUE,
  fieldsOfNobody,
  statusesOf,
  subscribedPage,
  usualFields,
} from '../../storage/audience-reach.ts';
import { readAccountGuards } from '../../storage/guards.ts';
import type { AudienceCondition } from '../../storage/launches.ts';
import type { MailingRow } from '../../storage/mailings.ts';
import { findSuppressions } from '../../storage/suppressions.ts';
import type { Directory } from '../directory/directory.ts';
import type { Runtime } from '../runtime.ts';
import { readAddressKeys } from '../settlement/address-keys.ts';

const PAGE_ROWS = 2_000;

export interface AudienceReach {
  /** People whom the audience means. */
  readonly people: number;
  /** Messages that a start would send now; sending rules may still hold or drop some. */
  readonly reached: number;
  readonly excluded: readonly { readonly reason: string; readonly people: number }[];
}

/** Counts the audience of a mailing. Throws WRONG_STATE if it has none. */
export type CountAudience = (mailing: MailingRow) => Promise<AudienceReach>;

export function createCountAudience(runtime: Runtime, directory: Directory): CountAudience {
  const { database } = runtime;
  return async (mailing) => {
    const known = await directory.channel(mailing.channel);
    const document = known?.channel.document;
    if (document === undefined || document.communication === 'indirect' || mailing.type === 'trigger') {
      throw new Failure(
        'WRONG_STATE',
        mailing.type === 'trigger'
          ? `"${mailing.name}" is a trigger mailing: each trigger names its person, so that there is no audience to count.`
          : `Channel "${mailing.channel}" is indirect: the mailing goes to its resource, so that there is no audience to count.`,
      );
    }
    const place = placeOf(mailing);
    const condition = audienceCondition(mailing.audience, FIRST_COUNTED_VALUE);
    const statuses = await countByStatus(database, place, condition);
    const excluded = new Map<string, number>();
    let people = 0;
    let reached = 0;
    for (const { status, people: count } of statuses) {
      people += count;
      if (status === 'subscribed') reached += count;
      else excluded.set(status === null ? 'NOT_SUBSCRIBED' : `SUBSCRIPTION_${status.toUpperCase()}`, count);
    }
    const suppressed = await countSuppressed(runtime, mailing, document);
    for (const [reason, count] of suppressed) {
      reached -= count;
      excluded.set(reason, count);
    }
    return {
      people,
      reached,
      excluded: [...excluded].map(([reason, count]) => ({ reason, people: count })),
    };
  };
}

function placeOf({ account_id, resource_id, channel_id }: MailingRow): AudiencePlace {
  return { accountId: account_id, resourceId: resource_id, channelId: channel_id };
}

/** Counts by reason whose address is suppressed, page by page, as the guards will ask. */
async function countSuppressed(
  runtime: Runtime,
  mailing: MailingRow,
  document: ChannelDocument,
): Promise<ReadonlyMap<string, number>> {
  const { database, clock, vault } = runtime;
  const counts = new Map<string, number>();
  const field = addressField(document);
  const { suppresses } = await readAccountGuards(database, mailing.account_id);
  if (field === undefined || !suppresses) return counts;
  const place = placeOf(mailing);
  const condition = audienceCondition(mailing.audience, FIRST_PAGED_VALUE);
  const keys = await readAddressKeys(runtime);
  for (let after: string | undefined; ; ) {
    const rows = await subscribedPage(database, place, condition, after, PAGE_ROWS);
    const asked = rows.flatMap(({ fields }) => {
      const stored = own(fields, field.field);
      const address = keys.of(isSealed(stored) ? vault.open(stored) : stored);
      if (address === undefined) return [];
      const list = mailing.class !== 'transactional';
      return { ...place, list, keys: [address.plain, address.hash] as const };
    });
    for (const { scope } of await findSuppressions(database, asked, clock.now())) {
      const reason = scope === 'global' ? 'SUPPRESSED_GLOBAL' : 'SUPPRESSED_LIST';
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    if (rows.length < PAGE_ROWS) return counts;
    after = rows.at(-1)?.id;
  }
}

/** Throws REQUEST_INVALID for each of some people whom a test would not reach. */
export async function refuseUnreachable(
  { database }: Pick<Runtime, 'database'>,
  mailing: MailingRow,
  profiles: readonly string[],
): Promise<void> {
  const rows = await statusesOf(database, placeOf(mailing), profiles);
  const found = new Map(rows.map((row) => [row.external_id, row.status]));
  const problems = profiles.flatMap((profile, index) => {
    const status = found.get(profile);
    if (status === 'subscribed') return [];
    const where = `resource "${mailing.resource}" in channel "${mailing.channel}"`;
    const why =
      status === undefined
        ? `There is no person "${profile}".`
        : status === null
          ? `"${profile}" has no subscription to ${where}; make one first.`
          : `The subscription of "${profile}" to ${where} is ${status}, so that nothing would be sent.`;
    return [{ pointer: `/profiles/${index}`, message: why }];
  });
  if (problems.length > 0) throw refusedRequest(problems);
}

/** Throws REQUEST_INVALID if an audience asks for a field that nobody has: it would reach nobody, or everybody. */
export async function refuseUnknownFields(
  { database }: Pick<Runtime, 'database'>,
  accountId: string,
  { fields = [] }: AudienceCondition,
): Promise<void> {
  if (fields.length === 0) return;
  const nobodys = new Set(
    await fieldsOfNobody(database, accountId, [...new Set(fields.map(({ name }) => name))]),
  );
  if (nobodys.size === 0) return;
  const usual = await usualFields(database, accountId);
  // Before the first people are there, nothing is known of their fields.
  if (usual.length === 0) return;
  const problems = fields
    .filter(({ name }) => nobodys.has(name))
    .map(({ name, pointer }) => {
      const hint = didYouMean(nearName(name, usual)) || ` People have: ${listed(usual)}.`;
      return { pointer, message: `No person has a field "${name}".${hint}` };
    });
  throw refusedRequest(problems);
}

function refusedRequest(problems: readonly Problem[]): Failure {
  return new Failure('REQUEST_INVALID', problems[0]?.message ?? '', { problems });
}
