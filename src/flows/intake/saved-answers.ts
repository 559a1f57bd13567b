/** Results that listeners were answered with, kept so that a repeated request gets the same and runs nothing. */
import { NO_ACCOUNT, readRecord, type StorePlace, writeRecord } from '../../storage/store-records.ts';
import { readPayload, writePayload } from '../payload.ts';
import type { Redact } from '../redact.ts';
import type { Runtime } from '../runtime.ts';

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
export async function savedResult(
  runtime: Runtime,
  request: NamedRequest,
): Promise<{ readonly value?: unknown } | undefined> {
  const text = await readRecord(runtime.database, placeOf(request), runtime.clock.now());
  return text === undefined ? undefined : (readPayload(runtime.vault, text) as { value?: unknown });
}

export async function saveResult(
  runtime: Runtime,
  request: NamedRequest,
  value: unknown,
  redact: Redact,
): Promise<void> {
  const nowMs = runtime.clock.now();
  const text = writePayload(runtime.vault, value === undefined ? {} : { value }, redact, nowMs);
  await writeRecord(runtime.database, placeOf(request), text, nowMs + KEPT_MS);
}

function placeOf({ channelId, accountId, senderId, name }: NamedRequest): StorePlace {
  return { channelId, accountId: accountId ?? NO_ACCOUNT, table: TABLE, key: `${senderId ?? ''}/${name}` };
}
