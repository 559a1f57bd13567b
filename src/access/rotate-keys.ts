/** Encrypts everything that is kept encrypted again, with the current key; safe while the engine runs and at any time again. */
import { Failure } from '../errors.ts';
import { isObject, own, setOwn } from '../json.ts';
import type { Database } from '../storage/database.ts';
import { lockSealed, SEALED_PLACES, type SealedPlace, writeSealed } from '../storage/sealed.ts';
import { isSealed, type Vault } from './vault.ts';

/** What became of the rows of one place. */
export interface Rotated {
  readonly name: string;
  readonly rows: number;
  readonly changed: number;
  /** Why rows could not be read, once for each reason; they are left as they are. */
  readonly problems: readonly string[];
  readonly unreadable: number;
}

/** Rows in one transaction: small, because they are held in the meantime. */
const BATCH = 200;

/** Goes through all places, batch by batch. Throws where there is no key at all. */
export async function rotateKeys(
  database: Database,
  vault: Vault,
  done: (place: Rotated) => void,
): Promise<void> {
  for (const place of SEALED_PLACES) done(await rotatePlace(database, vault, place));
}

async function rotatePlace(database: Database, vault: Vault, place: SealedPlace): Promise<Rotated> {
  const problems = new Set<string>();
  const count = { rows: 0, changed: 0, unreadable: 0 };
  let after: string | undefined = '';
  while (after !== undefined) {
    const from: string = after;
    after = await database.transaction(async (tx) => {
      const rows = await lockSealed(tx, place, from, BATCH);
      const changed = rows.flatMap(({ key, value }) => {
        try {
          const fresh = resealed(vault, JSON.parse(value), place.depth);
          return fresh === undefined ? [] : [{ key, value: JSON.stringify(fresh) }];
        } catch (thrown) {
          if (!(thrown instanceof Failure) || thrown.code !== 'SECRET_UNREADABLE') throw thrown;
          problems.add(thrown.message);
          count.unreadable += 1;
          return [];
        }
      });
      if (changed.length > 0) await writeSealed(tx, place, changed);
      count.rows += rows.length;
      count.changed += changed.length;
      return rows.length < BATCH ? undefined : rows.at(-1)?.key;
    });
  }
  return { name: place.name, ...count, problems: [...problems] };
}

/** The value with all that was sealed with an older key sealed again, or undefined if nothing was. */
function resealed(vault: Vault, value: unknown, depth: number): unknown {
  if (isSealed(value)) {
    return vault.isOld(value) ? vault.seal(vault.open(value), String(own(value, 'setAt'))) : undefined;
  }
  if (depth === 0 || !isObject(value)) return undefined;
  const fresh: Record<string, unknown> = {};
  let changed = false;
  for (const [name, member] of Object.entries(value)) {
    const inner = resealed(vault, member, depth - 1);
    changed ||= inner !== undefined;
    setOwn(fresh, name, inner ?? member);
  }
  return changed ? fresh : undefined;
}
