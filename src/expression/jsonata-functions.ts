/** Our own versions of JSONata functions: those that read the clock, and those that could stall the process. */
import type jsonata from 'jsonata';
import { Failure } from '../errors.ts';
import { own } from '../json.ts';

/** Characters in a text that is read as a date or a number by a picture. */
const MAX_PARSED = 100;
const MAX_PAD = 100_000;
/** The name under which the time of the run is bound; no author can write it. */
export const NOW = 'now:';

type Focus = jsonata.Focus & { readonly createSequence?: () => unknown[] };

/** Registers our version of a function under `name()`. */
export function registerFunction(expression: jsonata.Expression, name: string): void {
  const chosen = FUNCTIONS[name];
  if (chosen !== undefined) expression.registerFunction(`${name}()`, chosen[0], chosen[1]);
}

type Implementation = Parameters<jsonata.Expression['registerFunction']>[1];

/** Implementation and signature; the signatures are those of jsonata 2.2. */
const FUNCTIONS: Readonly<Record<string, readonly [Implementation, string]>> = {
  now: [
    function (this: Focus, picture?: string, timezone?: string) {
      return format(this, millis(this), picture, timezone);
    },
    '<s?s?:s>',
  ],
  millis: [
    function (this: Focus) {
      return millis(this);
    },
    '<:n>',
  ],
  error: [
    function (this: Focus, message?: string) {
      throw new Failure('JSONATA_FAILED', message ?? 'The JSONata expression called $error().');
    },
    '<s?:x>',
  ],
  fromMillis: [
    function (this: Focus, value?: number, picture?: string, timezone?: string) {
      return format(this, value, picture, timezone);
    },
    '<n-s?s?:s>',
  ],
  toMillis: [
    function (this: Focus, text?: string, picture?: string) {
      const { environment } = this;
      const time = millis(this);
      // What a picture leaves out is taken from the time of the run, never from the clock.
      const fixed = time === undefined ? environment : { ...environment, timestamp: new Date(time) };
      return builtIn(this, 'toMillis').call(
        { ...this, environment: fixed },
        short(text, '$toMillis'),
        checked(picture),
      );
    },
    '<s-s?:n>',
  ],
  parseInteger: [
    function (this: Focus, text?: string, picture?: string) {
      return builtIn(this, 'parseInteger').call(this, short(text, '$parseInteger'), picture);
    },
    '<s-s:n>',
  ],
  pad: [
    function (this: Focus, text: string | undefined, width: number, character?: string) {
      if (Math.abs(width) > MAX_PAD) {
        throw new Failure(
          'EXPRESSION_LIMIT',
          `$pad makes a text of at most ${MAX_PAD} characters; give it a smaller width.`,
        );
      }
      return builtIn(this, 'pad').call(this, text, width, character);
    },
    '<s-ns?:s>',
  ],
  distinct: [
    function (this: Focus, list: unknown) {
      if (!Array.isArray(list) || list.length < 2) return list;
      const seen = new Set<unknown>();
      const result = own(list, 'sequence') === true ? (this.createSequence?.() ?? []) : [];
      for (const item of list) {
        const identity = typeof item === 'object' ? `object ${canonical(item)}` : `${typeof item} ${item}`;
        if (!seen.has(identity)) result.push(item);
        seen.add(identity);
      }
      return result;
    },
    '<x:x>',
  ],
  sort: [
    function (this: Focus, list: unknown, comesAfter?: ComesAfter) {
      if (!Array.isArray(list) || list.length < 2) return list;
      if (comesAfter !== undefined) return mergeSort(list, comesAfter);
      if (list.every((item) => typeof item === 'number') || list.every((item) => typeof item === 'string')) {
        return [...list].sort((first, second) => (first < second ? -1 : first > second ? 1 : 0));
      }
      throw new Failure(
        'JSONATA_FAILED',
        '$sort without a function sorts only numbers or only texts; give it a function that compares two elements.',
      );
    },
    '<af?:a>',
  ],
};

/** True, or a promise of true, where the first element is to come after the second. */
type ComesAfter = (first: unknown, second: unknown) => unknown;

/** A stable sort by an asynchronous comparison; that of the library needs memory for the square of the length. */
async function mergeSort(list: readonly unknown[], comesAfter: ComesAfter): Promise<unknown[]> {
  if (list.length < 2) return [...list];
  const middle = Math.floor(list.length / 2);
  const left = await mergeSort(list.slice(0, middle), comesAfter);
  const right = await mergeSort(list.slice(middle), comesAfter);
  const merged: unknown[] = [];
  let taken = 0;
  for (const item of right) {
    while (taken < left.length && !(await comesAfter(left[taken], item))) merged.push(left[taken++]);
    merged.push(item);
  }
  return [...merged, ...left.slice(taken)];
}

type Callable = { call: (focus: unknown, ...values: unknown[]) => unknown };

function builtIn({ environment }: Focus, name: string): Callable {
  const implementation = own(environment.lookup(name), 'implementation');
  if (typeof implementation === 'function') return implementation;
  throw new Failure(
    'JSONATA_FAILED',
    `$${name} has been given another meaning in this expression; rename it.`,
  );
}

/** The time of the run; undefined if the scope has none. */
function millis({ environment }: Focus): number | undefined {
  const time = Date.parse(String(environment.lookup(NOW)));
  return Number.isNaN(time) ? undefined : time;
}

function format(focus: Focus, value?: number, picture?: string, timezone?: string): unknown {
  return builtIn(focus, 'fromMillis').call(focus, value, checked(picture), timezone);
}

function checked(picture: string | undefined): string | undefined {
  if (picture !== undefined && (picture.length > 1_000 || /[,-]\s*\d{4,}/.test(picture))) {
    throw new Failure(
      'EXPRESSION_LIMIT',
      'The picture of a date is too long, or has a width of more than 999; shorten it.',
    );
  }
  return picture;
}

function short(text: string | undefined, name: string): string | undefined {
  if (text === undefined || text.length <= MAX_PARSED) return text;
  throw new Failure(
    'EXPRESSION_LIMIT',
    `${name} reads texts of at most ${MAX_PARSED} characters, but this one has ${text.length}; cut it out first.`,
  );
}

/** Equal for values that are deeply equal, whatever the order of their members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.entries(member).sort(([first], [second]) => (first < second ? -1 : 1))
      : member,
  );
}
