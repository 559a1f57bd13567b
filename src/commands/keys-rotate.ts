/** `sluiceway keys rotate`: every stored secret encrypted again with the first key of SLUICEWAY_SECRET_KEY. */

import { readKeys } from '../access/read-keys.ts';
import { type Rotated, rotateKeys } from '../access/rotate-keys.ts';
import { createVault } from '../access/vault.ts';
import { openDatabase } from '../app.ts';
import { readConfig } from '../config.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';

/** Gives exit code 1 where a secret cannot be read with the given keys; such secrets are left as they are. */
export async function runKeysRotate(args: readonly string[], context: CommandContext): Promise<number> {
  const { options } = readArguments('keys rotate', args);
  const { stdout } = context;
  const config = readConfig(context.environment);
  const database = await openDatabase(config);
  let keys: readonly Buffer[] = [];
  const places: Rotated[] = [];
  try {
    keys = await readKeys(config);
    await rotateKeys(database, createVault(keys), (place) => {
      places.push(place);
      if (!options.json && place.rows > 0) stdout.write(placeText(place));
    });
  } finally {
    await database.close();
  }
  const unreadable = places.reduce((sum, place) => sum + place.unreadable, 0);
  if (options.json) stdout.write(`${JSON.stringify({ places }, null, 2)}\n`);
  else stdout.write(`${endText(unreadable, keys.length)}\n`);
  return unreadable > 0 ? 1 : 0;
}

function placeText({ name, rows, changed, unreadable, problems }: Rotated): string {
  const more = unreadable === 0 ? '' : `, ${unreadable} cannot be read`;
  const lines = [
    `${name}: ${changed} of ${rows} encrypted again${more}`,
    ...problems.map((each) => `  ${each}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function endText(unreadable: number, keys: number): string {
  if (unreadable > 0) return 'Add the missing keys after the current one and run this again.';
  if (keys < 2)
    return 'All secrets are under the only key that is given. To change it, put a new one before it.';
  return 'All secrets are under the first key. Once every process runs with this order of keys, run this once more; then the older keys can go.';
}
