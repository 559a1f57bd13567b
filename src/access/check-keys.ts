/**
 * Whether the keys that a process was given are those of its database: a value that was sealed at the first start must
 * open at every later one. Otherwise it would show when the first secret is needed, one failed message after the other.
 */
import { Failure } from '../errors.ts';
import type { Sql } from '../storage/database.ts';
import { readSetting, saveSetting } from '../storage/settings.ts';
import type { Vault } from './vault.ts';

/** src/storage/sealed.ts encrypts it again when keys rotate. */
const SETTING = 'key_check';

/**
 * Compares the vault with the database, or marks a new database with it. `source` says where the keys come from, as a
 * sentence begins; `now` is ISO 8601. Throws SECRET_UNREADABLE.
 */
export async function checkKeys(database: Sql, vault: Vault, source: string, now: string): Promise<void> {
  let kept = await readSetting(database, SETTING);
  if (kept === undefined) {
    await saveSetting(database, SETTING, JSON.stringify(vault.seal('ours', now)));
    // Of processes that start together with different keys only one is right.
    kept = (await readSetting(database, SETTING)) ?? 'null';
  }
  try {
    vault.open(JSON.parse(kept));
  } catch (thrown) {
    throw new Failure(
      'SECRET_UNREADABLE',
      `${source} is not the key with which the secrets of this database were encrypted, so that nothing could be sent. Give the key it had at its first start; a new key goes before the old one, with a comma between them, until \`sluiceway keys rotate\` has run.`,
      { cause: thrown },
    );
  }
}
