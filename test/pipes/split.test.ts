import { describe, expect, test } from 'vitest';
import { compilePlan, type PipeSource } from '../../src/engine/plan.ts';
import { runPlan } from '../../src/engine/run.ts';
import { Failure } from '../../src/errors.ts';
import { pipeOf } from '../../src/pipes/catalog.ts';

/** Element 5 sends; 8 follows the split, 9 is its error exit. */
const PIPELINE: readonly PipeSource[] = [
  {
    id: 1,
    type: 'split',
    params: { items: '$in.list', as: 'each', each: 5 },
    outs: { success: 8, error: 9 },
  },
  {
    id: 5,
    type: 'http_request',
    params: { url: 'https://api.acme.example/$in.each.id' },
    outs: { success: 6 },
  },
  { id: 6, type: 'log', params: { message: 'sent $in.each.id' } },
  { id: 8, type: 'log', params: { message: 'all done' } },
  { id: 9, type: 'log', params: { message: '$error.items' } },
];

async function run(list: readonly unknown[], answer: (path: string) => number | Failure) {
  const { entry } = compilePlan('message', PIPELINE, pipeOf);
  if (entry === undefined) throw new Error('the plan has no entry');
  const asked: string[] = [];
  const refuse = async () => {
    throw new Error('not asked for here');
  };
  const outcome = await runPlan({
    entry,
    keywords: {},
    in: { list },
    origin: {},
    tries: 0,
    channel: 'acme',
    now: '2026-01-01T00:00:00.000Z',
    outside: {
      http: async ({ url }) => {
        const path = new URL(url).pathname.slice(1);
        asked.push(path);
        const given = answer(path);
        if (given instanceof Failure) throw given;
        return { status: given, headers: {}, body: Buffer.alloc(0) };
      },
      store: { get: refuse, set: refuse, delete: refuse },
      sql: refuse,
      module: refuse,
    },
    declare: (event) => ({ ...event, type: 'custom', eventId: undefined }),
    decide: () => ({ do: 'exit' }),
    clock: () => 0,
  });
  return { asked, outcome, logs: outcome.logs.map((line) => line.message) };
}

describe('the way of each element', () => {
  test('runs in order, then the pipeline goes on', async () => {
    const { asked, logs, outcome } = await run([{ id: 'a' }, { id: 'b' }], () => 200);
    expect(asked).toEqual(['a', 'b']);
    expect(logs).toEqual(['sent a', 'sent b', 'all done']);
    expect(outcome.status).toBe('done');
  });

  test('fails alone; the error exit learns which and why', async () => {
    const { asked, logs } = await run([{ id: 'a' }, {}, { id: 'c' }, { id: 'd' }], (path) =>
      path === 'c' ? 404 : 200,
    );
    expect(asked).toEqual(['a', 'c', 'd']);
    expect(logs.slice(0, 2)).toEqual(['sent a', 'sent d']);
    const items = JSON.parse(logs[2] ?? '');
    expect(items).toMatchObject([
      { index: 1, code: 'TEMPLATE_VALUE_MISSING' },
      { index: 2, code: 404 },
    ]);
    expect(items[1].message).toContain('404');
  });

  test('being stopped is no failure of an element', async () => {
    const stopped = new Failure('SHUTDOWN', 'The engine is stopping.');
    const { asked, outcome } = await run([{ id: 'a' }, { id: 'b' }], () => stopped);
    expect(asked).toEqual(['a']);
    expect(outcome.trail[0]?.failure?.code).toBe('SHUTDOWN');
  });
});

describe('a share', () => {
  const source: readonly PipeSource[] = [
    { id: 1, type: 'split', params: { items: '$in.list', as: 'each', each: 5 }, outs: { success: 8 } },
    { id: 5, type: 'log', params: { message: '$in.each.id' } },
    { id: 8, type: 'log', params: { message: 'all done' } },
  ];
  const { entry } = compilePlan('listener', source, pipeOf);
  const list = Array.from({ length: 7 }, (_, index) => (index === 1 ? {} : { id: index }));
  const turn = (share: number | undefined, more: object) => {
    if (entry === undefined) throw new Error('the plan has no entry');
    const refuse = async () => {
      throw new Error('not asked for here');
    };
    return runPlan({
      entry,
      keywords: {},
      in: { list },
      origin: {},
      tries: 0,
      channel: 'acme',
      now: '2026-01-01T00:00:00.000Z',
      outside: {
        http: refuse,
        store: { get: refuse, set: refuse, delete: refuse },
        sql: refuse,
        module: refuse,
      },
      declare: (event) => ({ ...event, type: 'custom', eventId: undefined }),
      decide: () => ({ do: 'exit' }),
      clock: () => 0,
      ...(share !== undefined && { share }),
      ...more,
    });
  };

  test('is followed by others; then the split continues behind it, and knows what failed before', async () => {
    const seen: string[] = [];
    let more: object = {};
    const turns: string[] = [];
    for (let index = 0; index < 4; index += 1) {
      const outcome = await turn(3, more);
      seen.push(...outcome.logs.map((line) => line.message));
      turns.push(outcome.status);
      const { wait } = outcome;
      if (wait === undefined) {
        expect(outcome.ended?.failure.message).toMatch(/^1 of 7 elements failed; the first is number 2:/);
        expect(outcome.failure?.code).toBe('TEMPLATE_VALUE_MISSING');
        break;
      }
      expect(wait).toMatchObject({ pipe: 1, reason: 'turn', delayMs: 0 });
      const stored = JSON.parse(JSON.stringify(wait.progress));
      more = { in: wait.in, progress: stored, ...(wait.decisive && { decisive: wait.decisive }) };
    }
    expect(turns).toEqual(['waiting', 'waiting', 'failed']);
    expect(seen).toEqual(['0', '2', '3', '4', '5', '6']);
  });

  test('is not asked of runs that cannot wait', async () => {
    const outcome = await turn(undefined, {});
    expect(outcome.status).toBe('failed');
    expect(outcome.logs).toHaveLength(6);
  });

  test('of its own has each way: a circle of an element ends at the limit, many elements do not', async () => {
    const many = await turn(undefined, { in: { list: Array.from({ length: 3_000 }, (_, id) => ({ id })) } });
    expect(many.status).toBe('done');
    expect(many.logs).toHaveLength(3_001);
    const circle = compilePlan(
      'listener',
      [
        { id: 1, type: 'split', params: { items: '$in.list', each: 5 } },
        { id: 5, type: 'log', params: { message: 'x' }, outs: { success: 5 } },
      ],
      pipeOf,
    );
    const ended = await turn(undefined, { entry: circle.entry });
    expect(ended.failure?.code).toBe('HOP_LIMIT');
  });
});
