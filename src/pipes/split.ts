/** `split`: runs a way once per element, then goes on. */
import { asFailure, Failure } from '../errors.ts';
import { definePipe } from './contract.ts';
import { any, array, exit, string } from './params.ts';

interface FailedElement {
  readonly index: number;
  readonly code: string | number;
  readonly message: string;
}

/** How far a split has come that let others have their turn. */
interface Progress {
  readonly next: number;
  readonly failed: readonly FailedElement[];
  readonly failures: number;
}

const BEGIN: Progress = { next: 0, failed: [], failures: 0 };
/** `$error.items` names so many failed elements; the message counts them all. */
const MOST_SHOWN = 1_000;

export const split = definePipe({
  type: 'split',
  summary: 'Runs the way from a pipe once per element of an array, one after the other, then goes on.',
  params: {
    items: array('The elements, usually a reference to an array.', any('An element.', { templates: true }), {
      required: true,
      templates: true,
      typed: true,
    }),
    as: string('The member of `$in` that holds the element on its way.', { default: 'item' }),
    each: exit('The first pipe of the way. The way ends where an exit is not wired.', { required: true }),
  },
  needs: ['branch', 'shareDone'],
  // Only on the way from `each`; the linter has one answer for all exits.
  adds: ({ as }) => ({ [typeof as === 'string' ? as : 'item']: 'any' }),
  errors: ['PIPE_PARAMS', 'SPLIT_FAILED'],
  examples: [
    {
      name: 'each report of a batch on its own way',
      params: { items: '$in.data.reports', as: 'report', each: 5 },
      in: { data: { reports: [{ id: 'p-1' }, { id: 'p-2' }] } },
      expect: { exit: 'success', branches: [{ report: { id: 'p-1' } }, { report: { id: 'p-2' } }] },
    },
    {
      name: 'an empty array goes straight on',
      params: { items: '$in.list', each: 5 },
      in: { list: [] },
      expect: { exit: 'success', branches: [] },
    },
    {
      name: 'one object is no array',
      params: { items: '$in.data', each: 5 },
      in: { data: { id: 'p-1' } },
      expect: { exit: 'error', code: 'PIPE_PARAMS' },
    },
  ],
  run: async ({ items, as, each }, context) => {
    const { next, failed, failures } =
      context.progress === undefined ? BEGIN : (context.progress as Progress);
    const shown = [...failed];
    let count = failures;
    for (let index = next; index < items.length; index += 1) {
      if (index > next && context.can.shareDone()) {
        return { pause: { next: index, failed: shown, failures: count } satisfies Progress };
      }
      try {
        await context.can.branch(each, { [as]: items[index] });
      } catch (thrown) {
        const failure = asFailure(thrown);
        // Being stopped, or running in circles, is no matter of one element.
        if (failure.blame === 'shutdown' || failure.code === 'HOP_LIMIT') throw failure;
        count += 1;
        if (shown.length < MOST_SHOWN) {
          shown.push({ index, code: failure.details.statusCode ?? failure.code, message: failure.message });
        }
      }
    }
    if (count === 0) return undefined;
    const [first] = shown;
    throw new Failure(
      'SPLIT_FAILED',
      `${count} of ${items.length} elements failed; the first is number ${(first?.index ?? 0) + 1}: ${first?.message}`,
      { extra: { items: shown } },
    );
  },
});
