/** Results that listeners were answered with, kept so that a repeated request gets the same and runs nothing. */
import { NO_ACCOUNT, readRecord, type StorePlace, writeRecord } from '../storage/store-records.ts';
import type { Ground } from './ground.ts';
import { readPayload, writePayload } from './payload.ts';
import type { Redact } from './redact.ts';

/** Beside the store's own tables, under a name no author can give. */
const TABLE = '~answer';
/** As long as repeats of requests are recognised. */
const KEPT_MS = 7 * 86_400_000;

/** A request that has a name. */
export interface NamedRequest {
  readonly channelId: number;
  readonly accountId: string | null;
  readonly senderId: string | null;
  readonly name: string;
}

/** The result that a request of this name was answered with. */
export async function keptResult(
  ground: Ground,
  request: NamedRequest,
): Promise<{ readonly value?: unknown } | undefined> {
  const text = await readRecord(ground.database, placeOf(request), ground.clock.now());
  return text === undefined ? undefined : (readPayload(ground.vault, text) as { value?: unknown });
}

export async function keepResult(
  ground: Ground,
  request: NamedRequest,
  value: unknown,
  redact: Redact,
): Promise<void> {
  const nowMs = ground.clock.now();
  const text = writePayload(ground.vault, value === undefined ? {} : { value }, redact, nowMs);
  await writeRecord(ground.database, placeOf(request), text, nowMs + KEPT_MS);
}

function placeOf({ channelId, accountId, senderId, name }: NamedRequest): StorePlace {
  return { channelId, accountId: accountId ?? NO_ACCOUNT, table: TABLE, key: `${senderId ?? ''}/${name}` };
}
