/** What follows from an Idempotency-Key: the ids that its request makes, and the hash that repeats are recognised by. */
import { createHash, scrypt } from 'node:crypto';
import { createIds, type Ids } from '../ids.ts';
import type { RequestKey } from '../storage/idempotency.ts';

/** Returns the hash of a request. If it holds a password, the hash must be of no use for trying passwords. */
export async function hashRequest(request: string, salt: string, isSecret: boolean): Promise<string> {
  if (!isSecret) return createHash('sha256').update(request).digest('hex');
  return new Promise((resolve, reject) => {
    scrypt(request, salt, 32, { cost: 16_384, blockSize: 8, parallelization: 1 }, (error, key) =>
      error === null ? resolve(key.toString('hex')) : reject(error),
    );
  });
}

/** Returns ids that are the same for each call with a key that was first used at `firstMs`. */
export function idsOfKey({ accountId, key }: RequestKey, firstMs: number): Ids {
  let block = 0;
  return createIds({ now: () => firstMs }, (bytes) => {
    for (let offset = 0; offset < bytes.length; offset += 32) {
      createHash('sha256').update(`${accountId}\n${key}\n${block}\n${offset}`).digest().copy(bytes, offset);
    }
    block += 1;
  });
}
