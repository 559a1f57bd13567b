/** Reads the keys of the vault: given by the settings, or made at the first start of the embedded mode. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, KEY_BYTES } from '../config.ts';
import { Failure } from '../errors.ts';
import { inDataFolder } from '../storage/embedded-folder.ts';

function keyFile(config: Config): string {
  return join(config.dataFolder, 'secret.key');
}

/**
 * Returns the keys of the vault; the embedded mode makes one and keeps it in the data folder, whose lock the caller has.
 * Throws SETTINGS_INVALID.
 */
export async function readKeys(config: Config): Promise<readonly Buffer[]> {
  if (config.secretKeys.length > 0 || config.databaseUrl !== undefined) return config.secretKeys;
  const path = keyFile(config);
  return inDataFolder(config.dataFolder, async () => {
    const kept = await readKept(path);
    if (kept !== undefined) return [kept];
    const key = randomBytes(KEY_BYTES);
    // Under another name first: a process that is killed in the meantime must not leave half a key.
    await writeFile(`${path}.new`, key.toString('base64'), { mode: 0o600 });
    await rename(`${path}.new`, path);
    return [key];
  });
}

/** Undefined if none was made yet. */
async function readKept(path: string): Promise<Buffer | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  const key = Buffer.from(text, 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new Failure(
    'SETTINGS_INVALID',
    `${path} must hold a key of ${KEY_BYTES} bytes in base64, but is damaged. Restore it from a backup: what was sealed with the key opens with no other. If nothing was sealed yet, delete the file.`,
  );
}

/** Says where the keys come from, as the beginning of a sentence. */
export function keySource(config: Config): string {
  return config.secretKeys.length > 0 ? 'SLUICEWAY_SECRET_KEY' : keyFile(config);
}
