import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { rotateKeys } from '../../../src/access/rotate-keys.ts';
import { createVault } from '../../../src/access/vault.ts';
import type { Runtime } from '../../../src/flows/runtime.ts';
import { normalAddress, readAddressKeys } from '../../../src/flows/settlement/address-keys.ts';
import { openTestDatabase } from '../../support/database.ts';

const NOW_MS = Date.UTC(2026, 5, 1);

describe('addresses', () => {
  it.each([
    ['  Ann.Other@Example.COM ', 'ann.other@example.com'],
    ['+49 (151) 234-56.78', '491512345678'],
    ['0049 151 2345678', '491512345678'],
    ['491512345678', '491512345678'],
    // Ids of groups and tokens of devices are no phone numbers, and tell upper from lower case.
    ['-1001234567890', '-1001234567890'],
    ['AbC:dEf', 'AbC:dEf'],
    ['@channel', '@channel'],
    [491512345678, '491512345678'],
    [{ b: [1, { d: 2, c: 1 }], a: 'x' }, '{"a":"x","b":[1,{"c":1,"d":2}]}'],
  ])('%j is compared as %s', (written, normal) => {
    expect(normalAddress(written)).toBe(normal);
  });

  it.each([[''], ['  '], [undefined], [null], [true]])('%j is none', (written) => {
    expect(normalAddress(written)).toBeUndefined();
  });

  it('have the same hash in every process, also after the keys of the vault were changed', async () => {
    const { database, end } = await openTestDatabase('embedded', NOW_MS);
    try {
      const [old, fresh] = [randomBytes(32), randomBytes(32)];
      const hash = async (...keys: Buffer[]) => {
        const runtime = {
          database,
          clock: { now: () => NOW_MS },
          vault: createVault(keys),
        } as unknown as Runtime;
        return (await readAddressKeys(runtime)).of('Ann@example.com')?.hash;
      };
      const both = await Promise.all([hash(old), hash(old)]);
      expect(both[0]).toBe(both[1]);
      await rotateKeys(database, createVault([fresh, old]), () => {});
      expect(await hash(fresh)).toBe(both[0]);
    } finally {
      await end();
    }
  });
});
