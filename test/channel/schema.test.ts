import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { schemaFiles } from '../../src/reference/schemas.ts';
import { direct, indirect, wallMessage } from './documents.ts';

const files = schemaFiles();

const compiled = new Map<string, (value: unknown) => boolean>();

function validator(name: string): (value: unknown) => boolean {
  const known = compiled.get(name) ?? compile(name);
  compiled.set(name, known);
  return known;
}

function compile(name: string): (value: unknown) => boolean {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
  const validate = ajv.compile(JSON.parse(files[name] ?? ''));
  return (value) => validate(value) === true;
}

describe('schemas for editors', () => {
  it('are JSON Schemas 2020-12 with a title', () => {
    for (const text of Object.values(files)) {
      expect(JSON.parse(text)).toMatchObject({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        title: expect.any(String),
        description: expect.any(String),
      });
    }
  });

  it('take what the check takes', () => {
    const channel = validator('channel.schema.json');
    expect(channel(direct())).toBe(true);
    expect(channel(indirect())).toBe(true);
    expect(validator('pipeline.schema.json')(wallMessage())).toBe(true);
  });

  it('take the channels that are shipped', async () => {
    const channel = validator('channel.schema.json');
    const pipeline = validator('pipeline.schema.json');
    for (const [root, validate, name] of [
      ['channels', channel, 'channel.json'],
      ['pipelines', pipeline, undefined],
    ] as const) {
      for (const sid of await readdir(root)) {
        for (const file of (await readdir(join(root, sid))).filter((each) =>
          name ? each === name : each.endsWith('.json'),
        )) {
          expect([sid, file, validate(JSON.parse(await readFile(join(root, sid, file), 'utf8')))]).toEqual([
            sid,
            file,
            true,
          ]);
        }
      }
    }
  });

  it.each([
    ['an unknown member', { ...direct(), eventz: [] }],
    ['a wrong enum', { ...direct(), lane: 'senders' }],
    [
      'an unknown param',
      { ...direct(), pipelines: { message: [{ id: 1, type: 'log', params: { message: 'x', lvl: 1 } }] } },
    ],
    ['a missing param', { ...direct(), pipelines: { message: [{ id: 1, type: 'log' }] } }],
    [
      'an unknown setting of a field',
      { ...direct(), fields: { template: [{ field: 'a', type: 'int', name: 'A', step: 1 }] } },
    ],
    [
      'five columns',
      { ...direct(), fields: { template: [Array.from({ length: 5 }, () => ({ type: 'divider' }))] } },
    ],
  ])('refuse %s', (_what, document) => {
    expect(validator('channel.schema.json')(document)).toBe(false);
  });

  it('refuse an unknown key of a test', () => {
    const validate = validator('channel-test.schema.json');
    const test = {
      name: 'a',
      pipeline: 'message',
      given: { answers: { '2': [{ status: 200 }, { fail: 'network' }] } },
      expect: { status: 'done' },
    };
    expect(validate({ tests: [test] })).toBe(true);
    expect(validate({ tests: [{ ...test, expects: {} }] })).toBe(false);
    expect(validate({ tests: [{ ...test, given: { anwsers: {} } }] })).toBe(false);
  });

  it('describe every member', () => {
    const bare: string[] = [];
    const walk = (value: unknown, path: string) => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, each] of Object.entries(value)) {
        if (key === 'properties' && !path.endsWith('/if')) {
          for (const [name, member] of Object.entries(each as object)) {
            if (
              typeof (member as { description?: unknown }).description !== 'string' &&
              !('$ref' in (member as object))
            ) {
              bare.push(`${path}/${name}`);
            }
          }
        }
        if (key !== 'default' && key !== 'enum') walk(each, `${path}/${key}`);
      }
    };
    for (const [name, text] of Object.entries(files)) walk(JSON.parse(text), name);
    expect(bare).toEqual([]);
  });
});
