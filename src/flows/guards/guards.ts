/**
 * Guards: who is not sent to, and when. Asked before each run of a message that is not sent yet, so also after a hold and
 * before a retry; a place under the caps is taken once, before the first pipe and with its content ready. An account
 * without suppressions and rules is not asked anything.
 */
import { addressField } from '../../channel/address.ts';
import type { ChannelDocument } from '../../channel/document.ts';
import { isObject, own } from '../../json.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import { type AskedContact, type FullCap, readAccountGuards, reserveContacts } from '../../storage/guards.ts';
import { STATE_CODES } from '../../storage/states.ts';
import { type AskedAddress, type FoundSuppression, findSuppressions } from '../../storage/suppressions.ts';
import { createBatcher } from '../batcher.ts';
import type { KnownLaunch } from '../directory/directory.ts';
import type { Runtime } from '../runtime.ts';
import { type AddressKeys, readAddressKeys } from '../settlement/address-keys.ts';
import type { Effects } from '../settlement/effects.ts';
import { type CompiledRules, capWords, compileSendingRules } from './compile-rules.ts';
import type { SendingRules } from './sending-rules.ts';
import { hold, skip } from './skip.ts';
import { createWallClocks } from './wall-clock.ts';

/** What guards the messages of an account. */
export interface Guarded {
  readonly suppresses: boolean;
  readonly rules: CompiledRules | undefined;
}

export interface GuardedMessage {
  readonly guarded: Guarded;
  /** With the secret fields of its subscription opened. */
  readonly row: ClaimedRow;
  readonly channel: ChannelDocument;
  readonly launch: KnownLaunch | undefined;
  readonly nowMs: number;
}

export interface Guards {
  /** What guards an account, at most a second old; undefined if nothing does. */
  readonly of: (accountId: string) => Promise<Guarded | undefined>;
  /** What is settled instead of a run; undefined if nothing but caps may speak against it. */
  readonly check: (message: GuardedMessage) => Promise<Effects | undefined>;
  /** Gives a message that is about to be sent its place under the caps; what is settled instead where there is none. */
  readonly reserve: (message: GuardedMessage) => Promise<Effects | undefined>;
}

const FRESH_MS = 1_000;
const MOST_TOGETHER = 500;

/** The guards of one process. */
export function createGuards(runtime: Runtime): Guards {
  const { database, clock, ids } = runtime;
  const clockOf = createWallClocks();
  const known = new Map<string, { readonly at: number; readonly value: Promise<Guarded | undefined> }>();
  let keys: Promise<AddressKeys> | undefined;

  const read = async (accountId: string): Promise<Guarded | undefined> => {
    const { rules: written, suppresses } = await readAccountGuards(database, accountId);
    const rules = written as unknown as SendingRules | null;
    const some = rules !== null && rules.quietHours.length + rules.caps.length > 0;
    if (!some && !suppresses) return undefined;
    return { suppresses, rules: some ? compileSendingRules(rules, clockOf) : undefined };
  };

  const addressKeys = () => {
    keys ??= readAddressKeys(runtime).catch((thrown: unknown) => {
      keys = undefined;
      throw thrown;
    });
    return keys;
  };

  const suppressions = createBatcher<AskedAddress, FoundSuppression | undefined>(async (asked) => {
    const found = await findSuppressions(database, asked, clock.now());
    const byPlace = new Map(found.map((each) => [each.place, each]));
    return asked.map((_, place) => byPlace.get(place));
  }, MOST_TOGETHER);

  const contacts = createBatcher<AskedContact, readonly FullCap[]>(async (asked) => {
    const full = await reserveContacts(database, asked, clock.now());
    return asked.map((_, place) => full.filter((each) => each.place === place));
  }, MOST_TOGETHER);

  const suppressed = async ({ row, channel }: GuardedMessage): Promise<Effects | undefined> => {
    const field = addressField(channel);
    const address = field && (await addressKeys()).of(own(row.subscription, field.field));
    if (address === undefined) return undefined;
    const found = await suppressions.add({
      accountId: row.account_id ?? '',
      channelId: channel.id,
      resourceId: row.resource_id,
      // What a person has asked for goes to lists they have left, but never to an address that is gone.
      list: row.class !== 'transactional',
      keys: [address.plain, address.hash],
    });
    if (found === undefined) return undefined;
    const { id, scope, reason, source, created_at: since } = found;
    const rule = `suppression ${id}: ${scope}, ${reason}, by ${source} since ${since.toISOString()}`;
    return skip(row, scope === 'global' ? 'SUPPRESSED_GLOBAL' : 'SUPPRESSED_LIST', rule, ids);
  };

  const reserve = async (message: GuardedMessage): Promise<Effects | undefined> => {
    const { row, channel, nowMs } = message;
    const rules = rulesFor(message);
    if (rules === undefined || row.pipe !== null || row.payload !== null) return undefined;
    const looked = lookedAt(message);
    const places = rules.capsOf(looked);
    if (places.length === 0) return undefined;
    const full = await contacts.add({
      messageId: row.message_id ?? row.id,
      category: looked.category,
      caps: places.flatMap((rule) => {
        const cap = rules.caps[rule];
        if (cap === undefined) return [];
        return {
          rule,
          channelId: cap.channel === undefined ? null : channel.id,
          category: cap.category ?? null,
          messages: cap.messages,
          seconds: cap.perHours * 3_600,
        };
      }),
    });
    const [first] = full.toSorted((a, b) => a.rule - b.rule);
    const cap = first && rules.caps[first.rule];
    if (first === undefined || cap === undefined) return undefined;
    const rule = capWords(cap, first.rule);
    return cap.onHit === 'drop'
      ? skip(row, 'FREQUENCY_CAP', rule, ids)
      : hold(row, { untilMs: first.free_at, reason: 'FREQUENCY_CAP', rule }, nowMs, ids);
  };

  return Object.freeze<Guards>({
    of: (accountId) => {
      const now = clock.now();
      const cached = known.get(accountId);
      if (cached !== undefined && Math.abs(now - cached.at) < FRESH_MS) return cached.value;
      const value = read(accountId);
      known.set(accountId, { at: now, value });
      value.catch(() => known.delete(accountId));
      return value;
    },
    check: async (message) => {
      const { guarded, row, nowMs } = message;
      if (row.state === null || row.state >= STATE_CODES.sent) return undefined;
      const stopped = guarded.suppresses ? await suppressed(message) : undefined;
      if (stopped !== undefined) return stopped;
      const rules = row.class === 'urgent' ? undefined : rulesFor(message);
      const quiet = rules?.quiet(lookedAt(message), nowMs);
      if (quiet === undefined) return undefined;
      return quiet.onHit === 'drop'
        ? skip(row, 'QUIET_HOURS', quiet.rule, ids)
        : hold(row, { ...quiet, reason: 'QUIET_HOURS' }, nowMs, ids);
    },
    reserve,
  });
}

/** Undefined for a message that is sent, and for a test: it goes to people who have asked for it, now. */
function rulesFor({ guarded, row, launch }: GuardedMessage): CompiledRules | undefined {
  if (row.state === null || row.state >= STATE_CODES.sent) return undefined;
  return launch?.row.kind === 'test' ? undefined : guarded.rules;
}

/** A message as rules see it; its category is its own, that of its mailing, or its class. */
function lookedAt({ row, channel, launch }: GuardedMessage) {
  const own = isObject(row.content) ? row.content.category : undefined;
  const category = typeof own === 'string' ? own : (launch?.row.category ?? row.class ?? '');
  return { channel: channel.sid, category, profile: row.profile };
}
