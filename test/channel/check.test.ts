import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkAll } from '../../src/channel/check.ts';
import { check, checkText, direct, indirect } from './documents.ts';

describe('a sound channel', () => {
  it('direct: no findings, and the document with its defaults', () => {
    const { findings, document } = check(direct());
    expect(findings).toEqual([]);
    expect(document).toMatchObject({
      sid: 'acme_sms',
      kind: 'custom',
      moderate: false,
      lane: 'sender',
      unknown: 'hold',
      delivery: { mode: 'pipeline' },
      entities: [],
      limits: { requests: 50, perSeconds: 1, scope: 'sender' },
    });
    expect(document).not.toHaveProperty('$schema');
    expect(document).not.toHaveProperty('limits.per');
  });

  it('indirect: no findings, and its named pipeline is brought in', () => {
    const { findings, document } = check(indirect());
    expect(findings).toEqual([]);
    expect(document?.pipelines.message).toHaveLength(4);
    expect(document?.lane).toBe('resource');
    expect(document?.entities[0]?.operations[0]?.pipeline).toHaveLength(4);
    expect(document?.fields.mailing).toEqual([
      { field: 'category', type: 'entity', entity: 'category', name: 'category' },
    ]);
  });

  it('the example of the channel format', () => {
    const example = {
      ...direct(),
      listener: { response: { body: 'ok' } },
      pipelines: { message: 'acme_sms/message', listener: 'acme_sms/listener' },
    };
    const { message, listener } = direct().pipelines;
    const pipelines = {
      'acme_sms/message': JSON.stringify(
        message.slice(0, 5).map((pipe) => (pipe.id === 4 ? { ...pipe, outs: {} } : pipe)),
      ),
      'acme_sms/listener': JSON.stringify(listener),
    };
    expect(check(example, { pipelines }).findings).toEqual([]);
  });

  it('is frozen to its depths', () => {
    const { document } = check(direct());
    expect(Object.isFrozen(document)).toBe(true);
    expect(Object.isFrozen(document?.pipelines.message?.[0]?.params)).toBe(true);
  });

  it('may have the placeholders of its provider, and credentials that are read', () => {
    const params = {
      url: 'https://a.example',
      auth_type: 'basic',
      auth_username: 'main',
      auth_password: '$sender.token',
      headers: { 'X-Api-Key': '$sender.token', 'idempotency-key': 'fixed', accept: 'text/csv' },
    };
    const { findings } = check({
      ...direct(),
      pipelines: {
        message: [
          {
            id: 1,
            type: 'pack',
            params: { template: { text: 'Hi {{first_name}} {{1}}' } },
            exits: { success: 2 },
          },
          { id: 2, type: 'http_request', params },
        ],
      },
      listener: { verify: { type: 'ed25519', header: 'x-signature', secrets: ['abcd'] } },
    });
    expect(findings.filter(({ code }) => code === 'liquid-in-pipe' || code === 'secret-written')).toEqual([]);
  });

  it('gets ids where it names none, the same ones each time', () => {
    const { id: _id, ...rest } = direct();
    const [first, , third] = rest.events;
    const written = {
      ...rest,
      events: [first, { sid: 'late', name: 'Late', color: '#000000', type: 'custom' }, third],
      pipelines: { message: [{ id: 1, type: 'log', params: { message: 'Hi' } }] },
      listener: undefined,
    };
    const { document, findings } = check(written, { others: [{ sid: 'other', id: 10007 }] });
    expect(findings).toEqual([]);
    expect(document?.id).toBe(10008);
    expect(document?.events.map((event) => event.id)).toEqual([100001, 100004, 100003]);
    const again = check(written, { others: [{ sid: 'other', id: 10009 }], previous: document });
    expect(again.document).toEqual(document);
  });
});

describe('channels together', () => {
  const source = (document: unknown, file: string) => ({
    file,
    text: JSON.stringify(document),
    kind: 'custom' as const,
    pipelines: () => undefined,
  });

  it('tells the second of two with the same sid or id', () => {
    const [first, second] = checkAll([source(direct(), 'a.json'), source(direct(), 'b.json')]);
    expect(first?.findings).toEqual([]);
    expect(second?.findings.map((finding) => [finding.code, finding.file])).toEqual([
      ['sid-taken', 'b.json'],
      ['id-taken', 'b.json'],
    ]);
  });

  it('assigns no id that another one names further on', () => {
    const { id: _id, ...unnumbered } = direct();
    const free = {
      ...unnumbered,
      pipelines: { message: [{ id: 1, type: 'log', params: { message: 'Hi' } }] },
      listener: undefined,
      content: undefined,
    };
    const [first, second] = checkAll([
      source({ ...free, sid: 'first' }, 'a.json'),
      source({ ...free, sid: 'second', id: 10000 }, 'b.json'),
    ]);
    expect(second?.findings).toEqual([]);
    expect([first?.document?.id, second?.document?.id]).toEqual([10001, 10000]);
  });
});

describe('a wrong document never throws', () => {
  const text = JSON.stringify(direct(), null, 1);

  it('cut, doubled or changed anywhere', () => {
    fc.assert(
      fc.property(
        fc.nat(text.length),
        fc.nat(40),
        fc.constantFrom('', '"', '{', ']', ',', '$', '0', '\u0000', 'null', '"__proto__":1,'),
        (at, cut, put) => {
          const { findings, document } = checkText(text.slice(0, at) + put + text.slice(at + cut));
          expect(document !== undefined || findings.some((finding) => finding.severity === 'error')).toBe(
            true,
          );
          for (const { line, column } of findings) expect(line >= 1 && column >= 1).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('with any value in any place', () => {
    const places: (readonly (string | number)[])[] = [];
    const walk = (value: unknown, path: readonly (string | number)[]) => {
      places.push(path);
      if (typeof value !== 'object' || value === null) return;
      for (const [key, each] of Object.entries(value))
        walk(each, [...path, Array.isArray(value) ? Number(key) : key]);
    };
    walk(direct(), []);
    const strange = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(
        '$',
        '$in',
        '${',
        '$#in.data',
        '$$in[a]',
        '[$]x',
        '{{ customer.name',
        { $: '(' },
        { $: '$in' },
        -1,
        1e308,
        '(a+)+$',
        '\\1',
        { '': 0 },
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), strange, (path, value) => {
        const { findings, document } = check(replaced(direct(), path, value));
        expect(document !== undefined || findings.length > 0).toBe(true);
      }),
      { numRuns: 600 },
    );
  });
});

function replaced(document: unknown, [step, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(document))
    return document.map((each: unknown, index) => (index === step ? replaced(each, rest, value) : each));
  return Object.fromEntries(
    Object.entries(document as object).map(([key, each]) => [
      key,
      key === step ? replaced(each, rest, value) : each,
    ]),
  );
}
