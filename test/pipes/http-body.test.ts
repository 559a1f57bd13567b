import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildBody } from '../../src/pipes/http-body.ts';
import { buildMultipart } from '../../src/pipes/http-multipart.ts';
import { failureOf } from '../support/failure-of.ts';

/** Read back by the multipart parser of the platform. */
function received(form: Readonly<Record<string, unknown>>) {
  const { body, contentType } = buildMultipart(form);
  return new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
}

describe('multipart', () => {
  test('texts, repeated names, numbers, objects; null is left out and empty stays', async () => {
    const form = await received({
      to: '+1',
      tag: ['a', 'b', null],
      n: 7,
      on: true,
      o: { a: 1 },
      skip: null,
      empty: '',
    });
    expect([...form.entries()]).toEqual([
      ['to', '+1'],
      ['tag', 'a'],
      ['tag', 'b'],
      ['n', '7'],
      ['on', 'true'],
      ['o', '{"a":1}'],
      ['empty', ''],
    ]);
  });

  test('bytes and named contents are files', async () => {
    const bytes = Buffer.from([0, 13, 10, 45, 45, 255]);
    const form = await received({
      raw: bytes,
      photo: { name: 'Ära "1".png', content: bytes, type: 'image/png' },
      note: { content: 'text' },
    });
    const photo = form.get('photo') as File;
    expect(photo.type).toBe('image/png');
    expect(photo.name).toBe('Ära "1".png');
    expect(Buffer.from(await photo.arrayBuffer())).toEqual(bytes);
    const raw = form.get('raw') as File;
    expect([raw.name, raw.type]).toEqual(['raw', 'application/octet-stream']);
    const note = form.get('note') as File;
    expect([note.name, await note.text()]).toEqual(['note', 'text']);
  });

  test('the same form gives the same body, another form another boundary', () => {
    const boundary = (form: Readonly<Record<string, unknown>>) => buildMultipart(form).contentType;
    expect(buildMultipart({ a: '1' })).toEqual(buildMultipart({ a: '1' }));
    expect(boundary({ a: '1' })).not.toBe(boundary({ a: '2' }));
    expect(boundary({ a: '1', b: '2' })).not.toBe(boundary({ b: '2', a: '1' }));
  });

  test('no value becomes a part of its own', async () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc
        .array(
          fc.constantFrom(
            '\r\n',
            '--',
            'Content-Disposition: form-data; name="x"',
            '"',
            '; filename="y"',
            'a',
            '%22',
          ),
        )
        .map((parts) => parts.join('')),
    );
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (a, b) => {
        const form = await received({ a, b, end: 'here' });
        expect([...form.entries()]).toEqual([
          ['a', a],
          ['b', b],
          ['end', 'here'],
        ]);
      }),
    );
  });

  test('no name breaks out of its quotes', async () => {
    const name = 'a"; filename="x"\r\nContent-Type: text/html\r\n\r\n';
    const form = await received({ [name]: 'v' });
    expect([...form.values()]).toEqual(['v']);
  });

  test('a type with a line break and a content that is an object are refused', async () => {
    const type = await failureOf(() => buildMultipart({ f: { content: 'x', type: 'a/b\r\nX: 1' } }));
    expect(type.code).toBe('PIPE_PARAMS');
    const content = await failureOf(() =>
      buildMultipart({ f: { name: 'f', content: { url: 'https://x' } } }),
    );
    expect(content.message).toContain('http_request');
  });
});

describe('by content type', () => {
  const bytes = Buffer.from('{"a":1}');

  test.each([
    ['json', 'application/json'],
    ['xml', 'application/xml'],
    ['text', 'text/plain; charset=utf-8'],
    ['raw', 'application/octet-stream'],
  ] as const)('%s sends the bytes of $in.body', (type, contentType) => {
    expect(buildBody(type, 'POST', {}, bytes)).toEqual({ body: bytes, contentType });
  });

  test.each(['text', 'raw'] as const)('%s takes text as well', (type) => {
    expect(buildBody(type, 'PUT', {}, 'é')?.body).toEqual(Buffer.from('é'));
  });

  test.each(['json', 'xml'] as const)('%s wants what pack makes', async (type) => {
    for (const body of [undefined, '{"a":1}', { a: 1 }]) {
      const failure = await failureOf(() => buildBody(type, 'POST', {}, body));
      expect(failure.code).toBe('PIPE_INPUT');
      expect(failure.message).toContain('put a pack before this pipe');
    }
  });

  test('urlencoded bodies are read back by URLSearchParams', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.array(fc.string(), { minLength: 1 })), (form) => {
        const built = buildBody('urlencoded', 'POST', form, undefined);
        const read = new URLSearchParams(Buffer.from(built?.body ?? '').toString());
        const wanted = Object.entries(form).flatMap(([name, values]) => values.map((value) => [name, value]));
        expect([...read]).toEqual(wanted);
      }),
    );
  });

  test('GET and HEAD have no body, and form has none with any method', () => {
    for (const method of ['GET', 'HEAD']) {
      for (const type of ['json', 'form-data', 'urlencoded', 'raw'] as const) {
        expect(buildBody(type, method, { a: 1 }, undefined)).toBeUndefined();
      }
    }
    expect(buildBody('form', 'POST', { a: 1 }, bytes)).toBeUndefined();
  });
});
