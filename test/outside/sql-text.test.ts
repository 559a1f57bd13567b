import { describe, expect, it } from 'vitest';
import { checkPlaces, readStatement } from '../../src/outside/sql-text.ts';

describe('places in PostgreSQL statements', () => {
  it.each([
    ['select ?', 'select $1'],
    ['select ?, ? where a=?', 'select $1, $2 where a=$3'],
    ["select '?', 'it''s ?', ?", "select '?', 'it''s ?', $1"],
    ["select '\\', ?", "select '\\', $1"],
    ["select E'\\'?', e'\\\\', ?", "select E'\\'?', e'\\\\', $1"],
    ["select type'\\', ?", "select type'\\', $1"],
    ['select "a?""b?", ?', 'select "a?""b?", $1'],
    ['select $$ ? $$, $t$ ? $$ ? $t$, ?', 'select $$ ? $$, $t$ ? $$ ? $t$, $1'],
    ['select a$b$ ?', 'select a$b$ $1'],
    ['select 1 -- ? \n, ?', 'select 1 -- ? \n, $1'],
    ['select /* ? /* ? */ ? */ ?', 'select /* ? /* ? */ ? */ $1'],
    ["select tags ?? 'a', tags ??| array['b'], ?", "select tags ? 'a', tags ?| array['b'], $1"],
    ["select '?", "select '?"],
    ['select /* ?', 'select /* ?'],
    ['select $$ ?', 'select $$ ?'],
    ['select -- ?', 'select -- ?'],
    ['', ''],
  ])('%s', (written, text) => {
    const read = readStatement(written, 'postgresql');
    expect(read.text).toBe(text);
    expect(read.places).toBe((text.match(/\$\d/g) ?? []).length);
  });
});

describe('places in MySQL statements', () => {
  it.each([
    ['select ?, ?', 2],
    ['select \'?\', "?", `?`, ?', 1],
    ['select \'it\\\'s ?\', "\\"?", ?', 1],
    ["select 'it''s ?', ?", 1],
    ['select `\\`, ?', 1],
    ['select 1 # ?\n, ?', 1],
    ['select 1 -- ?\n, ?', 1],
    ['select 1 --?', 1],
    ['select /* ? /* ? */ ?', 1],
    ['select /*! ? */ ?', 2],
    ['select /*M! ? */ ?', 2],
    ["select '?", 0],
  ])('%s', (written, places) => {
    expect(readStatement(written, 'mysql')).toMatchObject({ text: written, places });
  });
});

it('knows the first word', () => {
  for (const text of ['SELECT 1', ' \n-- note\n/* x */ (select 1)', 'Select(1)']) {
    expect(readStatement(text, 'postgresql').verb).toBe('select');
  }
  expect(readStatement('# begin\nSET a = 1', 'mysql').verb).toBe('set');
  expect(readStatement('', 'mysql').verb).toBe('');
});

it('says what is wrong when values and places differ', () => {
  const quoted = readStatement("select '?'", 'postgresql');
  expect(() => checkPlaces(quoted, 1, 'postgresql')).toThrow(
    /0 places for values, but 1 templates. Do not put templates in quotes/,
  );
  checkPlaces(quoted, 0, 'postgresql');
});
