import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Rotated, rotateKeys } from '../../src/access/rotate-keys.ts';
import { createVault, isSealed } from '../../src/access/vault.ts';
import { openTestDatabase, serverReachable } from '../support/database.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const SET_AT = new Date(NOW_MS).toISOString();
const ACCOUNT = '018f0000-0000-7000-8000-000000000001';
const OLD = randomBytes(32);
const NEW = randomBytes(32);
const SENDERS = 600;

describe.skipIf(!(await serverReachable()))('rotating keys on a server', () => {
  it('loses nothing that the running engine writes in the meantime', async () => {
    const { database, second, end } = await openTestDatabase('server', NOW_MS);
    try {
      const old = createVault([OLD]);
      const both = createVault([NEW, OLD]);
      const at = new Date(NOW_MS);
      await database.query('insert into account values ($1, $2, $3)', [ACCOUNT, 'acme', at]);
      const indices = Array.from({ length: SENDERS }, (_, index) => index);
      const fields = (index: number) => JSON.stringify({ token: old.seal(`token-${index}`, SET_AT) });
      await database.query(
        `insert into sender
         select gen_random_uuid(), $3, sid, sid, 100, fields::jsonb, $4, $4
         from unnest($1::text[], $2::text[]) as row (sid, fields)`,
        [indices.map((index) => `s${index}`), indices.map(fields), ACCOUNT, at],
      );

      const other = await second();
      // Two that rotate, and an engine that gives every third sender a new secret: all at once.
      const engine = async () => {
        for (let index = 0; index < SENDERS; index += 3) {
          const value = JSON.stringify({ token: both.seal(`fresh-${index}`, SET_AT) });
          await other.query('update sender set fields = $2::text::jsonb where sid = $1', [
            `s${index}`,
            value,
          ]);
        }
      };
      const places: Rotated[] = [];
      await Promise.all([
        engine(),
        rotateKeys(database, both, (place) => places.push(place)),
        rotateKeys(database, both, (place) => places.push(place)),
      ]);

      expect(places.flatMap(({ problems }) => problems)).toEqual([]);
      const fresh = createVault([NEW]);
      const rows = await database.query<{ sid: string; fields: Record<string, unknown> }>(
        'select sid, fields from sender',
      );
      const found = new Map(rows.map((row) => [row.sid, row.fields.token]));
      expect([...found.values()].every(isSealed)).toBe(true);
      expect(indices.map((index) => fresh.open(found.get(`s${index}`)))).toEqual(
        indices.map((index) => (index % 3 === 0 ? `fresh-${index}` : `token-${index}`)),
      );
    } finally {
      await end();
    }
  });
});
