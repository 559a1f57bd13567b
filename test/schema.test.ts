import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as t from '../src/schema.ts';
import { createSchemaWriter } from '../src/schema-writer.ts';
import { compileSchema } from '../src/validate.ts';

const part = t.component('Part', t.object('A part.', { sid: t.sid('Its name.') }));
const thing = t.component(
  'Thing',
  t.object('A thing.', {
    id: t.uuid('Its id.'),
    state: t.choice('How it is.', ['new', 'old']),
    size: t.optional(t.nullable(t.integer('How large.', { minimum: 1 }))),
    part: t.nullable(part),
    parts: t.array('All.', t.variant(part, 'One of many.')),
    labels: t.map('By language.', t.string('The label.')),
    fields: t.values('As the channel declares them.'),
  }),
);

describe('a schema', () => {
  it('gives the type of what fits it', () => {
    expectTypeOf<t.Static<typeof thing>>().toEqualTypeOf<{
      readonly id: string;
      readonly state: 'new' | 'old';
      readonly size?: number | null;
      readonly part: { readonly sid: string } | null;
      readonly parts: readonly { readonly sid: string }[];
      readonly labels: { readonly [name: string]: string };
      readonly fields: { readonly [name: string]: unknown };
    }>();
    const several = t.ifHas(
      'One or many.',
      'parts',
      t.object('Many.', { parts: t.array('All.', part) }),
      part,
    );
    expectTypeOf<t.Static<typeof several>>().toEqualTypeOf<
      { readonly parts: readonly { readonly sid: string }[] } | { readonly sid: string }
    >();
    const change = t.object('A change.', t.partial({ name: t.string('New name.'), part }));
    expectTypeOf<t.Static<typeof change>>().toEqualTypeOf<{
      readonly name?: string;
      readonly part?: { readonly sid: string };
    }>();
  });

  it('refuses members that are not declared, and fills defaults in', () => {
    const validator = compileSchema(t.object('A query.', t.pageQuery), { coerce: true });
    expect(validator.read({})).toEqual({ fits: true, value: { limit: 20 } });
    expect(validator.read({ limit: '7' })).toEqual({ fits: true, value: { limit: 7 } });
    expect(validator.check({ limits: '7' }, '/query')).toEqual([
      { pointer: '/query/limits', message: '"limits" is not known here. Did you mean "limit"?' },
    ]);
  });

  it('takes null only if it is nullable', () => {
    const validator = compileSchema(
      t.object('', {
        typed: t.nullable(t.string('')),
        chosen: t.nullable(t.choice('', ['a', 'b'])),
        named: t.nullable(part),
        plain: t.string(''),
      }),
    );
    const fitting = { typed: null, chosen: null, named: null, plain: '' };
    expect(validator.check(fitting)).toEqual([]);
    expect(validator.check({ ...fitting, plain: null })).toEqual([
      { pointer: '/plain', message: 'Must be of type string.' },
    ]);
  });
});

describe('the writer of schemas', () => {
  it('writes a component once and refers to it', () => {
    const writer = createSchemaWriter('#/$defs/');
    expect(writer.write(t.page(thing))).toEqual({ $ref: '#/$defs/ThingPage' });
    expect(Object.keys(writer.components())).toEqual(['Pagination', 'Part', 'Thing', 'ThingPage']);
    expect(writer.components().Thing).toMatchObject({
      description: 'A thing.',
      required: ['id', 'state', 'part', 'parts', 'labels', 'fields'],
      properties: {
        size: { type: ['integer', 'null'], minimum: 1 },
        part: { anyOf: [{ $ref: '#/$defs/Part' }, { type: 'null' }] },
        parts: { items: { $ref: '#/$defs/Part', description: 'One of many.' } },
      },
      additionalProperties: false,
    });
    const document = { ...writer.write(thing), $defs: writer.components() };
    expect(() =>
      new Ajv2020({ strict: true, allowUnionTypes: true, formats: { uuid: true } }).compile(document),
    ).not.toThrow();
  });

  it('refuses two schemas of one name', () => {
    const writer = createSchemaWriter('#/$defs/');
    writer.write(part);
    expect(() => writer.write(t.component('Part', t.string('Another.')))).toThrow(
      'Two schemas are named "Part".',
    );
  });

  it('asks nobody to send what is filled in, and writes alternatives instead of conditions', () => {
    const writer = createSchemaWriter('#/$defs/');
    const either = t.ifHas('One or many.', 'parts', t.object('Many.', t.pageQuery), part);
    expect(writer.write(either)).toEqual({
      description: 'One or many.',
      anyOf: [
        {
          type: 'object',
          description: 'Many.',
          properties: { limit: expect.anything(), cursor: expect.anything() },
          additionalProperties: false,
        },
        { $ref: '#/$defs/Part' },
      ],
    });
  });
});
