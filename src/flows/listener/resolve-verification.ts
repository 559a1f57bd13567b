/** What an author wrote under `verify`, completed by its preset and its type, and what is wrong with it. */
import type { Verification, VerificationType } from '../../channel/document.ts';
import type { Problem } from '../../errors.ts';
import { pointerTo } from '../../json.ts';
import { PRESETS, TYPE_DEFAULTS } from './presets.ts';

export type Member = Exclude<keyof Verification, 'preset' | 'type'>;

const PLACES = ['header', 'query', 'body'] as const;
const TIMESTAMPS = ['timestamp_header', 'timestamp_prefix', 'timestamp_body'] as const;

const SIGNATURE: readonly Member[] = [
  ...PLACES,
  ...TIMESTAMPS,
  'separator',
  'prefix',
  'encoding',
  'signed',
  'id_header',
  'timestamp_format',
  'tolerance',
  'secrets',
  'body_hash_query',
];

/** The members that mean something for each type. */
export const MEMBERS: { readonly [T in VerificationType]: readonly Member[] } = {
  hmac: [...SIGNATURE, 'algorithm', 'secret_encoding'],
  ed25519: SIGNATURE,
  rsa: [...SIGNATURE, 'algorithm'],
  ecdsa: [...SIGNATURE, 'algorithm'],
  token: [...PLACES, 'prefix', 'secrets'],
  basic: ['username', 'secrets'],
  standard_webhooks: ['header', 'id_header', 'timestamp_header', 'tolerance', 'secrets'],
};

export type Resolved = Verification & { readonly type: VerificationType };

/** Completes a verification; collects what is wrong with it. Undefined where not even its type is known. */
export function resolveVerification(
  written: Verification,
  pointer: string,
  problems: Problem[],
): Resolved | undefined {
  const complain = (member: string, message: string) =>
    problems.push({ pointer: pointerTo(pointer, member), message });
  const preset = written.preset === undefined ? undefined : PRESETS[written.preset];
  const type = written.type ?? preset?.type;
  if (type === undefined) {
    problems.push({
      pointer,
      message: '"verify" needs a "type" such as "hmac", or a "preset" such as "slack".',
    });
    return undefined;
  }
  if (preset !== undefined && preset.type !== type) {
    complain(
      'type',
      `The preset "${written.preset}" is of type "${preset.type}", not "${type}"; leave "type" out or write "verify" without the preset.`,
    );
  }
  const allowed: readonly string[] = MEMBERS[type];
  for (const member of Object.keys(written)) {
    if (member === 'preset' || member === 'type' || allowed.includes(member)) continue;
    complain(member, `"${member}" means nothing for the type "${type}"; it takes ${allowed.join(', ')}.`);
  }
  const resolved = { ...TYPE_DEFAULTS[type], ...keep(preset, written), ...written, type };
  checkPlaces(resolved, pointer, problems);
  if ((resolved.secrets ?? []).length === 0) {
    complain('secrets', '"secrets" must name at least one secret, for example ["$sender.webhook_secret"].');
  }
  if (type === 'basic' && resolved.username === undefined) {
    complain('username', 'The type "basic" needs a "username", for example "$sender.webhook_user".');
  }
  return resolved;
}

/** A preset without its own places where the author names others. */
function keep(preset: Verification | undefined, written: Verification): Verification {
  const kept: Record<string, unknown> = { ...preset };
  for (const group of [PLACES, TIMESTAMPS]) {
    if (group.some((member) => written[member] !== undefined))
      for (const member of group) delete kept[member];
  }
  return kept;
}

function checkPlaces(resolved: Resolved, pointer: string, problems: Problem[]): void {
  const places = PLACES.filter((member) => resolved[member] !== undefined);
  if (places.length !== 1) {
    const what = resolved.type === 'token' ? 'token' : 'signature';
    problems.push({
      pointer,
      message: `"verify" must say where the ${what} stands by exactly one of "header", "query" and "body"; it has ${places.length === 0 ? 'none' : places.map((place) => `"${place}"`).join(' and ')}.`,
    });
  }
  const timestamps = TIMESTAMPS.filter((member) => resolved[member] !== undefined);
  if (timestamps.length > 1) {
    problems.push({
      pointer: pointerTo(pointer, timestamps[1] ?? ''),
      message: `The timestamp stands in one place only; keep one of ${timestamps.map((member) => `"${member}"`).join(', ')}.`,
    });
  }
  if (resolved.separator === '') {
    problems.push({ pointer: pointerTo(pointer, 'separator'), message: '"separator" must not be empty.' });
  }
  if (resolved.timestamp_prefix !== undefined && resolved.separator === undefined) {
    problems.push({
      pointer: pointerTo(pointer, 'timestamp_prefix'),
      message:
        '"timestamp_prefix" finds the timestamp among the parts of the signature, so it needs a "separator".',
    });
  }
  if (resolved.tolerance !== undefined && timestamps.length === 0) {
    problems.push({
      pointer: pointerTo(pointer, 'tolerance'),
      message: `"tolerance" needs a timestamp; name it by one of ${TIMESTAMPS.map((member) => `"${member}"`).join(', ')}.`,
    });
  }
}
