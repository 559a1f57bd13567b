/** What a sample of people showed about content: the worst case, what was missing, and what its type complained of. */
import { measureSms } from './sms-text.ts';
import type { Trial } from './try-item.ts';
import type { ChannelType } from './types/contract.ts';

/** Profiles that are named for each thing found. */
const NAMED = 3;

interface Count {
  count: number;
  /** External ids of the first of them. */
  profiles: string[];
}

interface Worst {
  readonly profile: string;
  readonly segments: number;
  readonly characters: number;
}

export interface SampleReport {
  readonly add: (profile: string, trial: Trial) => void;
  readonly show: () => Readonly<Record<string, unknown>>;
}

/** Adds up trials. */
export function createSampleReport(channelType: ChannelType): SampleReport {
  let profiles = 0;
  let refused = 0;
  let segments = 0;
  let worst: Worst | undefined;
  const missing = new Map<string, Count>();
  const fallbacks = new Map<string, Count>();
  const refusals = new Map<string, Count & { code: string }>();
  const checks = new Map<string, Count & { severity: string; code: string; pointer: string }>();
  const longest = new Map<string, { characters: number; profile: string }>();

  const measure = (profile: string, body: unknown) => {
    if (channelType !== 'sms_text' || typeof body !== 'string') return;
    const size = { profile, ...measureSms(body) };
    segments += size.segments;
    if (worst === undefined || isDearer(size, worst)) worst = size;
  };

  return Object.freeze<SampleReport>({
    add: (profile, { content, findings, missing: without, filled, refusal }) => {
      profiles += 1;
      for (const name of without) count(missing, name, profile, {});
      for (const name of filled) count(fallbacks, name, profile, {});
      if (refusal !== undefined) {
        refused += 1;
        if (without.length === 0) count(refusals, refusal.message, profile, { code: refusal.code });
        return;
      }
      for (const { severity, code, pointer } of findings) {
        if (severity !== 'info') count(checks, `${code}${pointer}`, profile, { severity, code, pointer });
      }
      for (const [key, text] of Object.entries(content ?? {})) {
        if (typeof text !== 'string') continue;
        const characters = [...text].length;
        if (characters > (longest.get(key)?.characters ?? -1)) longest.set(key, { characters, profile });
      }
      measure(profile, content?.body);
    },
    show: () => ({
      profiles,
      refused,
      missing: [...missing].map(([variable, found]) => ({ variable, ...found })),
      fallbacks: [...fallbacks].map(([variable, found]) => ({ variable, ...found })),
      refusals: [...refusals].map(([detail, found]) => ({ detail, ...found })),
      checks: [...checks.values()],
      longest: Object.fromEntries(longest),
      ...(channelType === 'sms_text' && { worst: worst ?? null, segments }),
    }),
  });
}

function isDearer(size: Worst, than: Worst): boolean {
  return size.segments === than.segments ? size.characters > than.characters : size.segments > than.segments;
}

function count<More extends object>(
  into: Map<string, Count & More>,
  key: string,
  profile: string,
  more: More,
): void {
  const known = into.get(key) ?? { count: 0, profiles: [], ...more };
  known.count += 1;
  if (known.profiles.length < NAMED) known.profiles.push(profile);
  into.set(key, known);
}
