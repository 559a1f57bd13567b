/** `selector`: the first matching branch wins. */
import { Failure } from '../errors.ts';
import { definePipe, type PipeOutput } from './contract.ts';
import { array, type Evaluate, exit, jsonata, object, query } from './params.ts';

export const selector = definePipe({
  type: 'selector',
  summary: 'Takes the exit of the first branch whose condition holds, otherwise `success`.',
  params: {
    outs: array(
      'Branches, tried in order.',
      object('A branch.', {
        query: query('Condition in JsonQL.'),
        when: jsonata('Condition in JSONata, instead of `query`.'),
        out: exit('The pipe to go to.', { required: true }),
      }),
      { required: true },
    ),
  },
  needs: [],
  adds: () => ({}),
  errors: ['QUERY_FAILED', 'JSONATA_FAILED', 'EXPRESSION_LIMIT'],
  examples: [
    {
      name: 'a branch by status',
      params: {
        outs: [
          { query: "$in.data.status = 'queued'", out: 5 },
          { query: '$in.data.code >= 500', out: 6 },
        ],
      },
      in: { data: { status: 'rejected', code: 503 } },
      expect: { exit: 6 },
    },
    {
      name: 'no branch matches',
      params: { outs: [{ query: '$in.n > 1', out: 5 }] },
      in: { n: 1 },
      expect: { exit: 'success' },
    },
    {
      name: 'a value that is not there',
      params: { outs: [{ query: "$in.data.stat = 'x'", out: 5 }] },
      in: { data: {} },
      expect: { exit: 'error', code: 'TEMPLATE_VALUE_MISSING' },
    },
    {
      name: 'a value that may be missing',
      params: {
        outs: [
          { query: "${in.data.stat?} = 'x'", out: 5 },
          { query: '$in.data.stat isnot defined', out: 6 },
        ],
      },
      in: { data: {} },
      expect: { exit: 6 },
    },
    {
      name: 'a condition in JSONata',
      params: { outs: [{ when: '$count($in.list) = 2', out: 5 }] },
      in: { list: [1, 2] },
      expect: { exit: 5 },
    },
  ],
  check: (params) =>
    (Array.isArray(params.outs) ? params.outs : []).flatMap((branch: unknown, index) => {
      if (typeof branch !== 'object' || branch === null) return [];
      const given = ['query', 'when'].filter((name) => Object.hasOwn(branch, name)).length;
      return given === 1
        ? []
        : [
            {
              pointer: `/outs/${index}`,
              message: 'A branch has either "query" or "when", exactly one of them.',
            },
          ];
    }),
  run: ({ outs }) => firstBranch(outs, 0),
});

interface Branch {
  readonly query?: Evaluate<boolean> | undefined;
  readonly when?: Evaluate<unknown> | undefined;
  readonly out: number;
}

/** The exit of the first branch from `start` on that holds; a promise only where a condition waits. */
function firstBranch(
  outs: readonly Branch[],
  start: number,
): PipeOutput | undefined | Promise<PipeOutput | undefined> {
  for (let index = start; index < outs.length; index += 1) {
    const { query, when, out } = outs[index] as Branch;
    const test = query ?? when;
    if (test === undefined) throw new Failure('PIPE_PARAMS', 'A branch of this selector has no condition.');
    const value = test();
    if (value instanceof Promise) {
      return value.then((holds) => (holds === true ? { exit: out } : firstBranch(outs, index + 1)));
    }
    if (value === true) return { exit: out };
  }
  return undefined;
}
