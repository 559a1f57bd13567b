import { describe, expect, it } from 'vitest';
import { differences, projection, showDifference } from '../../src/testing/compare.ts';

describe('differences', () => {
  it('looks only at the members that an expected object names', () => {
    expect(differences({ a: 1 }, { a: 1, b: 2 }, '/expect', false)).toEqual([]);
    expect(differences({ a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 1, d: 2 }] } }, '/expect', false)).toEqual(
      [],
    );
  });

  it('looks at every member where it compares exactly', () => {
    expect(differences({ a: 1 }, { a: 1, b: 2 }, '/expect', true)).toEqual([
      { pointer: '/expect/b', expected: undefined, actual: 2 },
    ]);
  });

  it('points at each place with an RFC 6901 pointer', () => {
    expect(differences({ 'a/b': [{ x: 1 }, { x: 2 }] }, { 'a/b': [{ x: 1 }, { x: 3 }] }, '', false)).toEqual([
      { pointer: '/a~1b/1/x', expected: 2, actual: 3 },
    ]);
  });

  it('takes an array with more or fewer elements for a difference', () => {
    expect(differences([1], [1, 2], '/expect/path', false)).toEqual([
      { pointer: '/expect/path/1', expected: undefined, actual: 2 },
    ]);
    expect(differences([1, 2], [1], '/expect/path', false)).toEqual([
      { pointer: '/expect/path/1', expected: 2, actual: undefined },
    ]);
  });

  it('tells a text from a number and null from nothing', () => {
    expect(differences('7', 7, '', false)).toHaveLength(1);
    expect(differences({ a: null }, {}, '', false)).toHaveLength(1);
  });

  it('reads own members only', () => {
    expect(differences({ constructor: 'x' }, {}, '', false)).toEqual([
      { pointer: '/constructor', expected: 'x', actual: undefined },
    ]);
  });
});

describe('projection', () => {
  it('keeps the members and the order that the author chose', () => {
    const expected = { url: 'old', method: 'POST' };
    const actual = { method: 'GET', url: 'new', headers: { a: '1' } };
    expect(JSON.stringify(projection(expected, actual, false))).toBe('{"url":"new","method":"GET"}');
  });

  it('takes elements that are new as they are', () => {
    expect(
      projection(
        [{ a: 1 }],
        [
          { a: 2, b: 1 },
          { a: 3, b: 4 },
        ],
        false,
      ),
    ).toEqual([{ a: 2 }, { a: 3, b: 4 }]);
  });

  it('leaves out what did not happen', () => {
    expect(projection({ a: 1, b: 2 }, { a: 1 }, false)).toEqual({ a: 1 });
  });

  it('adds everything where it is exact', () => {
    expect(projection({ b: 1 }, { a: 1, b: 2 }, true)).toEqual({ b: 2, a: 1 });
  });
});

describe('showDifference', () => {
  it('says where, what was expected and what happened', () => {
    const text = showDifference({ pointer: '/expect/status', expected: 'done', actual: undefined });
    expect(text).toBe('at /expect/status\n  expected: "done"\n  happened: (nothing)');
  });
});
