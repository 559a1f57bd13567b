import { describe, expect, it } from 'vitest';
import { check, direct } from './documents.ts';

const http = (id: number, outs: Record<string, number>, more: Record<string, unknown> = {}) => ({
  id,
  type: 'http_request',
  params: { url: 'https://api.acme.example', ...more },
  outs,
});
const log = (id: number, message: string, outs = {}) => ({ id, type: 'log', params: { message }, outs });

/** What is said about a channel with these pipelines, as `<code> <pointer>`. */
function saidOf(pipelines: Record<string, unknown>): string[] {
  const { findings } = check({ ...direct(), pipelines, listener: undefined, content: undefined });
  return findings.map((finding) => `${finding.code} ${finding.pointer}`);
}

describe('what the event carries', () => {
  it('an answer is there after success, and on the error exit only where there was one', () => {
    const message = [http(1, { success: 2, error: 3 }), log(2, '$in.status'), log(3, '$in.status')];
    expect(saidOf({ message })).toEqual(['in-uncertain /pipelines/message/2/params/message']);
  });

  it('behind a selector that asks for the kind of error, its author knows', () => {
    const selector = {
      id: 2,
      type: 'selector',
      params: { outs: [{ query: "$error.kind = 'client'", out: 3 }] },
    };
    expect(saidOf({ message: [http(1, { error: 2 }), selector, log(3, '$in.status')] })).toEqual([]);
  });

  it('an optional reference and JSONata may miss what is there on some ways', () => {
    const message = [
      http(1, { success: 2, error: 2 }),
      log(2, '${in.status?}', { success: 3 }),
      { id: 3, type: 'transform', params: { expression: '$in.status ? 1 : 0', name: 'n' } },
    ];
    expect(saidOf({ message })).toEqual([]);
  });

  it('the element of a split is there on its way and not behind it', () => {
    const split = { id: 1, type: 'split', params: { items: [1], as: 'one', each: 2 }, outs: { success: 3 } };
    expect(saidOf({ message: [split, log(2, '$in.one'), log(3, '$in.one')] })).toEqual([
      'in-missing /pipelines/message/2/params/message',
    ]);
  });

  it('a missing record adds nothing', () => {
    const get = { id: 1, type: 'store_get', params: { key: 'k', not_found: 3 }, outs: { success: 2 } };
    expect(saidOf({ message: [get, log(2, '$in.k'), log(3, '$in.k')] })).toEqual([
      'in-missing /pipelines/message/2/params/message',
    ]);
  });

  it('a record under a key with templates may have any name', () => {
    const get = { id: 1, type: 'store_get', params: { key: 'k-$template.text' }, outs: { success: 2 } };
    expect(saidOf({ message: [get, log(2, '$in.anything')] })).toEqual([]);
  });

  it('a scheduled pipe hands over its template, or all of $in', () => {
    const scheduled = (params: object) => [{ id: 1, type: 'scheduled', params: { pipe_id: 1, ...params } }];
    const schedule = [log(1, '$in.a $origin.a $template.text')];
    expect(saidOf({ message: scheduled({ template: { a: 1 } }), schedule })).toEqual([]);
    expect(saidOf({ message: scheduled({ template: { b: 1 } }), schedule })).toEqual([
      'in-missing /pipelines/schedule/0/params/message',
      'reference-unknown /pipelines/schedule/0/params/message',
    ]);
    expect(saidOf({ message: scheduled({ template: { a: '$#{origin.x?}' } }), schedule })).toContain(
      'in-uncertain /pipelines/schedule/0/params/message',
    );
    expect(saidOf({ message: scheduled({}), schedule: [log(1, '$in.send_message_id')] })).toEqual([]);
    expect(saidOf({ message: scheduled({ template: { $: '$in' } }), schedule })).toEqual([]);
  });

  it('a pipe that is wrong says nothing about the pipes behind it', () => {
    const broken = { id: 1, type: 'transform', params: { expression: '1', nam: 'n' }, outs: { success: 2 } };
    expect(saidOf({ message: [broken, log(2, '$in.n')] })).toEqual([
      'member-missing /pipelines/message/0/params',
      'unknown-member /pipelines/message/0/params/nam',
    ]);
    const unknown = { id: 1, type: 'chose', params: { outs: [{ out: 2 }] } };
    expect(saidOf({ message: [unknown, log(2, '$in.n')] })).toEqual([
      'pipe-type-unknown /pipelines/message/0/type',
    ]);
  });
});

describe('circles', () => {
  const next = { id: 2, type: 'unpack', outs: { success: 3 } };
  const again = {
    id: 3,
    type: 'selector',
    params: { outs: [{ query: '$in.data.next is defined', out: 1 }] },
  };

  it('pages without an end are told, pages at a limited pace are not', () => {
    const limit = { requests: 1, per: 1 };
    expect(saidOf({ message: [http(1, { success: 2 }), next, again] })).toEqual([
      'circle /pipelines/message/2/params/outs/0/out',
    ]);
    expect(saidOf({ message: [http(1, { success: 2 }, { limit }), next, again] })).toEqual([]);
  });

  it('one that comes back through the Schedule pipeline takes its time', () => {
    const message = [{ id: 1, type: 'scheduled', params: { pipe_id: 1, template: { n: 1 } } }];
    expect(
      saidOf({ message, schedule: [{ id: 1, type: 'scheduled', params: { pipe_id: 1, template: '$in' } }] }),
    ).toEqual([]);
  });

  it('each is told once', () => {
    const ring = [1, 2, 3].map((id) => log(id, 'x', { success: (id % 3) + 1 }));
    expect(saidOf({ message: ring })).toEqual(['circle /pipelines/message/2/outs/success']);
  });
});

describe('entries', () => {
  it('each pipe of a listener to which no other leads can be named in its address', () => {
    expect(
      saidOf({ message: [log(1, 'Hi')], listener: [log(1, '$in.method'), log(7, '$in.headers.host')] }),
    ).toEqual([]);
  });

  it('a pipe of the Schedule pipeline that no scheduled pipe names is lost', () => {
    const message = [{ id: 1, type: 'scheduled', params: { pipe_id: 2, template: {} } }];
    expect(saidOf({ message, schedule: [log(1, 'a'), log(2, 'b')] })).toEqual([
      'pipe-unreachable /pipelines/schedule/0',
    ]);
  });

  it('two hundred pipes of which each branches to all that follow', () => {
    const ids = Array.from({ length: 200 }, (_, index) => index + 1);
    const outs = (id: number) =>
      ids.filter((each) => each > id).map((out) => ({ query: '$template.text is null', out }));
    const message = ids.map((id) => ({ id, type: 'selector', params: { outs: outs(id) } }));
    expect(saidOf({ message })).toEqual([]);
  });
});
