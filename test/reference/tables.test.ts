import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readTables, tablesFile } from '../../src/reference/tables.ts';
import type { CatalogColumn } from '../../src/storage/catalog.ts';

const column = (name: string, type: string, more: Partial<CatalogColumn> = {}): CatalogColumn => ({
  table: 'paper_boat',
  name,
  type,
  required: false,
  fallback: null,
  numbered: false,
  checks: null,
  ...more,
});

const declared = (...columns: readonly CatalogColumn[]) =>
  tablesFile(columns)
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim());

describe('the tables', () => {
  it('are those that the migrations make', async () => {
    const text = await readTables();
    expect(text).toBe(await readFile(new URL('../../src/storage/schema.ts', import.meta.url), 'utf8'));
    // One that is partitioned is there once, and its partitions are not.
    expect(text.match(/pgTable\('message'/g)).toHaveLength(1);
    expect(text).not.toMatch(/pgTable\('message_/);
  });

  it('say what may be null, what has a default, and what the database numbers', () => {
    const id = column('id', 'integer', { required: true, numbered: true });
    const note = column('note', 'text');
    const sails = column('sails', 'smallint', { required: true, fallback: '2' });
    const built = column('built_at', 'timestamp with time zone', { required: true, fallback: 'now()' });
    expect(tablesFile([id, note])).toContain("export const paperBoat = pgTable('paper_boat', {");
    expect(declared(id, note)).toEqual([
      'id: integer().notNull().generatedAlwaysAsIdentity(), note: text(),',
    ]);
    expect(declared(sails, built)).toEqual([
      'sails: smallint().notNull().default(2), built_at: timestamptz().notNull().default(sql`now()`),',
    ]);
  });

  it('take the values of a column from its check', () => {
    const check = "CHECK ((state = ANY (ARRAY['dry'::text, 'afloat'::text])))";
    const state = column('state', 'text', {
      checks: ['CHECK ((length(state) < 9))', check],
      fallback: "'dry'::text",
    });
    expect(declared(state)).toEqual(["state: text({ enum: ['dry', 'afloat'] }).default('dry'),"]);
    expect(declared(column('state', 'text', { checks: ['CHECK ((length(state) < 9))'] }))).toEqual([
      'state: text(),',
    ]);
  });

  it('need a declared type for JSON, and refuse a type that nobody knows', () => {
    expect(declared(column('cargo', 'json'))).toEqual(["cargo: json<JsonColumns['paper_boat.cargo']>(),"]);
    expect(() => declared(column('berth', 'point'))).toThrow(
      'paper_boat.berth has type point, which src/reference/tables.ts does not know',
    );
  });
});
