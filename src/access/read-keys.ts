/** The keys of the vault: given by the settings, or made at the first start of the embedded mode. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';

function keyFile(config: Config): string {
  return join(config.dataFolder, 'secret.key');
}

/** The keys of the vault; the embedded mode makes one and keeps it in the data folder. */
export async function readKeys(config: Config): Promise<readonly Buffer[]> {
  if (config.secretKeys.length > 0 || config.databaseUrl !== undefined) return config.secretKeys;
  const path = keyFile(config);
  try {
    return [Buffer.from(await readFile(path, 'utf8'), 'base64')];
  } catch {
    const key = randomBytes(32);
    await mkdir(config.dataFolder, { recursive: true, mode: 0o700 });
    await writeFile(path, key.toString('base64'), { mode: 0o600, flag: 'wx' });
    return [key];
  }
}

/** Where the keys come from, as a sentence begins. */
export function keySource(config: Config): string {
  return config.secretKeys.length > 0 ? 'SLUICEWAY_SECRET_KEY' : keyFile(config);
}
