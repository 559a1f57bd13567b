/** What a waiting row keeps of a run. A run that has a secret in hand is encrypted as a whole while it waits. */
import type { Vault } from '../access/vault.ts';
import { toText } from '../expression/text.ts';
import { decodeValue, encodeValue } from '../json.ts';
import { isoTime } from '../time.ts';
import type { Redact } from './redact.ts';

const SEALED = '{"$secret":';

/** The text of a payload; `redact` knows the secrets. */
export function writePayload(vault: Vault, value: unknown, redact: Redact, nowMs: number): string {
  // As text, because bytes hide a secret in their encoding.
  const plain = toText(value);
  const text = encodeValue(value);
  return redact(plain) === plain ? text : JSON.stringify(vault.seal(text, isoTime(nowMs)));
}

/** The value that `writePayload` wrote. Throws SECRET_UNREADABLE. */
export function readPayload(vault: Vault, text: string): unknown {
  return decodeValue(text.startsWith(SEALED) ? String(vault.open(JSON.parse(text))) : text);
}

/** Changes what `writePayload` wrote; it stays sealed if it was. Throws SECRET_UNREADABLE. */
export function changePayload(
  vault: Vault,
  text: string,
  change: (value: unknown) => unknown,
  nowMs: number,
): string {
  const changed = encodeValue(change(readPayload(vault, text)));
  return text.startsWith(SEALED) ? JSON.stringify(vault.seal(changed, isoTime(nowMs))) : changed;
}
