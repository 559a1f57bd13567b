/** Previews of content items: rendered for given values, for a profile, and for a sample of profiles. */
import type { ItemContent } from '../../content/compile-item.ts';
import { createSampleReport } from '../../content/sample-report.ts';
import { type TriedItem, tryItem } from '../../content/try-item.ts';
import { Failure } from '../../errors.ts';
import { audienceCondition } from '../../storage/audience.ts';
import { readItem, readVersions } from '../../storage/content.ts';
import { readProfile, sampleProfiles } from '../../storage/profiles.ts';
import { isoTime } from '../../time.ts';
import { itemContentOf } from '../directory/content-items.ts';
import { refused } from '../directory/find-channel.ts';
import type { Runtime } from '../runtime.ts';

type Values = Readonly<Record<string, unknown>>;

export interface PreviewRequest {
  readonly data?: { readonly customer?: Values; readonly offer?: Values; readonly attributes?: Values };
  /** External id; `data.customer` goes before its fields. */
  readonly profile?: string;
  readonly sample?: { readonly limit?: number; readonly where?: Values };
  /** The one that people work on where it is left out. */
  readonly version?: number;
}

export const MOST_SAMPLED = 10_000;
const SAMPLED = 1_000;
/** So long the process is kept from other work at a time. */
const SLICE_MS = 10;
/** So long a sample takes at most; the report says where it ended early. */
const SAMPLE_MS = 20_000;
/** The values of the condition begin after those of the statement. */
const FIRST_CONDITION_VALUE = 3;

/** Throws NOT_FOUND for another account's item, REQUEST_INVALID, and what is wrong with the item itself. */
export async function previewContent(
  runtime: Runtime,
  accountId: string,
  itemId: string,
  request: PreviewRequest,
): Promise<Values> {
  const { item, version } = await findVersion(runtime, accountId, itemId, request.version);
  const tried = tryItem(item);
  const given = await givenValues(runtime, accountId, request);
  const trial = await tried.run(given);
  const unresolved = new Set([...tried.unresolved.map(({ variable }) => variable), ...trial.missing]);
  return {
    version,
    channelType: item.channelType,
    content: trial.content,
    checks: trial.findings,
    unresolved: [...unresolved],
    fallbacks: trial.filled,
    refusal: trial.refusal === undefined ? null : shownFailure(trial.refusal),
    publishable: tried.unresolved.length === 0,
    problems: tried.unresolved,
    ...(request.sample !== undefined && {
      sample: await trySample(runtime, accountId, tried, item, given, request.sample),
    }),
  };
}

async function findVersion(
  { database }: Runtime,
  accountId: string,
  itemId: string,
  asked: number | undefined,
): Promise<{ item: ItemContent; version: number }> {
  const found = await readItem(database, accountId, itemId);
  if (found === undefined) throw new Failure('NOT_FOUND', 'There is no content item with this id.');
  const { item } = found;
  const version = asked ?? item.version;
  if (version === item.version) return { item: itemContentOf(item), version };
  const [row] = await readVersions(database, [{ itemId, version }]);
  if (row === undefined) throw refused('/version', `"${item.name}" has no version ${version}.`);
  return { item: itemContentOf({ ...row, channel_type: item.channel_type }), version };
}

async function givenValues(
  { database, clock }: Runtime,
  accountId: string,
  { data = {}, profile }: PreviewRequest,
): Promise<Values> {
  const row = profile === undefined ? undefined : await readProfile(database, accountId, profile);
  if (profile !== undefined && row === undefined) {
    throw refused('/profile', `There is no profile "${profile}".`);
  }
  const customer = { ...(row !== undefined && customerOf(row)), ...data.customer };
  const { offer = {}, attributes = {} } = data;
  return { customer, profile: customer, offer, attributes, now: isoTime(clock.now()) };
}

/** A profile as content sees it. */
function customerOf(row: { readonly external_id: string; readonly fields: Values }): Values {
  return { external_id: row.external_id, ...row.fields };
}

async function trySample(
  { database }: Runtime,
  accountId: string,
  tried: TriedItem,
  { channelType }: ItemContent,
  given: Values,
  { limit = SAMPLED, where }: NonNullable<PreviewRequest['sample']>,
): Promise<Values> {
  const audience = where === undefined ? { all: true } : { where };
  const condition = audienceCondition(audience, FIRST_CONDITION_VALUE, '/sample');
  const rows = await sampleProfiles(database, accountId, condition, limit);
  const report = createSampleReport(channelType);
  const startedMs = performance.now();
  let sliceMs = startedMs;
  let looked = 0;
  for (const row of rows) {
    const customer = customerOf(row);
    report.add(row.external_id, await tried.run({ ...given, customer, profile: customer }));
    looked += 1;
    const nowMs = performance.now();
    if (nowMs - startedMs > SAMPLE_MS) break;
    if (nowMs - sliceMs <= SLICE_MS) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    sliceMs = performance.now();
  }
  return { ...report.show(), complete: looked === rows.length };
}

function shownFailure({ code, message }: Failure) {
  return { code, detail: message };
}
