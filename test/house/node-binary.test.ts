/** The Node that npm scripts run on is the official one: its checksum is compared with a list kept here. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);
const readJson = (path: string) => JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'));
const list: { version: string; sha256: Record<string, string> } = readJson('test/house/node-binaries.json');
const bundled = fileURLToPath(
  new URL(`node_modules/.bin/node${process.platform === 'win32' ? '.exe' : ''}`, ROOT),
);

describe('the bundled Node', () => {
  it('is the version of the list, on every platform', () => {
    const { optionalDependencies } = readJson('package.json');
    expect(Object.values(optionalDependencies)).toEqual(Object.keys(list.sha256).map(() => list.version));
  });

  it.skipIf(!existsSync(bundled))(
    'has the checksum of the official binary (needs the optional package of this platform)',
    () => {
      const sum = createHash('sha256')
        .update(readFileSync(realpathSync(bundled)))
        .digest('hex');
      expect(sum).toBe(list.sha256[`${process.platform}-${process.arch}`]);
    },
  );
});
