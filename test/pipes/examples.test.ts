import { describe, expect, test } from 'vitest';
import { FAILURES } from '../../src/errors.ts';
import { pipes } from '../../src/pipes/catalog.ts';
import type { PipeExample } from '../../src/pipes/pipe-example.ts';
import { type Played, readable, runExample } from '../support/run-example.ts';

const CHECKS: Readonly<Record<string, (played: Played) => unknown>> = {
  exit: (played) => played.exit,
  code: (played) => played.code,
  add: (played) => played.in,
  requests: (played) => played.requests,
  statements: (played) => played.statements,
  events: (played) => played.outcome.events,
  later: (played) => played.outcome.later,
  logs: (played) => played.outcome.logs,
  result: (played) => played.outcome.result?.value,
  branches: (played) => played.branches,
  store: (played) => played.store,
};

function compare(played: Played, wanted: PipeExample['expect']): void {
  for (const [name, value] of Object.entries(wanted)) {
    const actual = readable(CHECKS[name]?.(played));
    if (name === 'store') expect(actual, name).toEqual(value);
    else if (typeof value === 'object') expect({ [name]: actual }, name).toMatchObject({ [name]: value });
    else expect(actual, name).toBe(value);
  }
}

describe.each(pipes.map((pipe) => ({ type: pipe.type, pipe })))('$type', ({ type, pipe }) => {
  test.each(pipe.examples)('$name', async (example) => {
    const played = await runExample(type, example);
    expect(Object.keys(CHECKS)).toEqual(expect.arrayContaining(Object.keys(example.expect)));
    compare(played, example.expect);
    if (example.expect.code === undefined) expect(played.code).toBeUndefined();
  });

  test('what its examples add is what it declares', async () => {
    for (const example of pipe.examples) {
      if (example.expect.exit !== 'success') continue;
      const played = await runExample(type, example);
      const before = new Set(Object.keys(example.in ?? {}));
      const added = Object.keys(played.in).filter((name) => !before.has(name));
      const declared = type === 'store_get' ? Object.keys(played.in) : Object.keys(pipe.adds(example.params));
      expect(declared, example.name).toEqual(expect.arrayContaining(added));
    }
  });

  test('its failures are named and its params are described', () => {
    for (const code of pipe.errors) expect(Object.keys(FAILURES)).toContain(code);
    for (const example of pipe.examples) {
      const { code } = example.expect;
      if (code !== undefined) expect([...pipe.errors, 'TEMPLATE_VALUE_MISSING']).toContain(code);
    }
    for (const param of Object.values(pipe.params)) expect(param.description).toMatch(/\w.*\.$/);
    expect(pipe.summary).toMatch(/\.$/);
    expect(pipe.examples.length).toBeGreaterThan(1);
  });

  test('its examples pass its own check', () => {
    for (const example of pipe.examples) expect(pipe.check?.(example.params) ?? [], example.name).toEqual([]);
  });
});
