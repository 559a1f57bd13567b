/**
 * The Liquid engine as this product sets it up: no files, no partials, no clock, no randomness, limits on time, memory
 * and output, own properties only.
 */
import { type Context, type Emitter, type FilterImplOptions, filters, Liquid, toValue } from 'liquidjs';
import { Failure } from '../errors.ts';
import { own } from '../json.ts';
import { toText } from './text.ts';

/** Characters of a text. */
export const MAX_LENGTH = 1_000_000;
const MAX_OUTPUT = 4_194_304;
const RENDER_MS = 1_000;
/** The library's units: about one for each character or element made on the way. */
const MEMORY = 4_000_000;

/** Tags that would read other templates. */
const REFUSED_TAGS = ['include', 'render', 'layout', 'block'];
/** Filters that make expressions out of values, or are random. */
const REFUSED_FILTERS = [
  'where_exp',
  'reject_exp',
  'group_by_exp',
  'has_exp',
  'find_exp',
  'find_index_exp',
  'sample',
];
const DATE_FILTERS = ['date', 'date_to_xmlschema', 'date_to_rfc822', 'date_to_string', 'date_to_long_string'];
/** Characters in a text that is read as a date. */
const MAX_DATE = 100;

/** Makes an engine; `html` escapes each output unless its last filter is `raw`, `strict` refuses outputs without a value. */
export function createEngine(html: boolean, strict: boolean): Liquid {
  const write = outputWriter(html);
  const liquid = new Liquid({
    outputEscape: strict ? (value: unknown) => write(present(value)) : write,
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: false,
    templates: {},
    timezoneOffset: 0,
    locale: 'en-US',
    renderLimit: RENDER_MS,
    memoryLimit: MEMORY,
  });
  for (const tag of REFUSED_TAGS) refuseTag(liquid, tag);
  for (const name of REFUSED_FILTERS) liquid.unregisterFilter(name);
  for (const name of DATE_FILTERS) liquid.registerFilter(name, dateFilter(filters[name]));
  liquid.registerFilter('sort_natural', chargedSort(filters.sort_natural));
  const { renderer } = liquid;
  const renderTemplates = renderer.renderTemplates.bind(renderer);
  renderer.renderTemplates = (templates, context, emitter = limitedEmitter(strict)) =>
    renderTemplates(templates, context, emitter);
  return liquid;
}

/** The text of an output: as in templates, except that the elements of an array follow each other. */
export function outputText(value: unknown): string {
  const plain: unknown = toValue(value);
  return Array.isArray(plain) ? plain.map(outputText).join('') : toText(plain);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

/** The text of an output, safe between tags and in quoted attributes. */
export function escapedText(value: unknown): string {
  return outputText(value).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

/** What gives the text of an output. */
export function outputWriter(html: boolean): (value: unknown) => string {
  return html ? escapedText : outputText;
}

/** An output's value; throws CONTENT_VARIABLE_MISSING if there is none. The caller knows where it stands. */
function present(value: unknown): unknown {
  const plain: unknown = toValue(value);
  if (plain === undefined || plain === null) throw missingOutput('The output');
  return plain;
}

/** The failure of an output that would silently be empty. */
export function missingOutput(what: string): Failure {
  return new Failure(
    'CONTENT_VARIABLE_MISSING',
    `${what} has no value, and would silently be empty; give it a fallback, for example with the filter default.`,
  );
}

/** Collects output up to the limit; then throws EXPRESSION_LIMIT. */
export function limitedEmitter(strict: boolean): Emitter {
  const emitter = {
    buffer: '',
    write(value: unknown) {
      emitter.buffer += typeof value === 'string' ? value : outputText(strict ? present(value) : value);
      if (emitter.buffer.length <= MAX_OUTPUT) return;
      throw new Failure(
        'EXPRESSION_LIMIT',
        `The Liquid text makes more than ${MAX_OUTPUT} characters; shorten its loops or its values.`,
      );
    },
  };
  return emitter;
}

function refuseTag(liquid: Liquid, name: string): void {
  const refuse = () => {
    throw new Failure(
      'LIQUID_SYNTAX',
      `the tag "${name}" cannot be used, because a text stands for itself and reads no other; put the content in here.`,
    );
  };
  liquid.registerTag(name, { parse: refuse, render: refuse });
}

type Implementation = Exclude<FilterImplOptions, { handler: unknown }>;

function implementationOf(filter: FilterImplOptions | undefined): Implementation {
  if (typeof filter === 'function') return filter;
  throw new Failure('BUG', 'A filter that Sluiceway builds on is missing in its version of liquidjs.');
}

/** `now` and `today` are the time of the run; a text without a time zone is UTC, whatever machine it runs on. */
function dateFilter(filter: FilterImplOptions | undefined): Implementation {
  const original = implementationOf(filter);
  return function (value, ...values) {
    const date: unknown = toValue(value);
    if (typeof date !== 'string') return original.call(this, date, ...values);
    if (date === 'now' || date === 'today') return original.call(this, timeOfRun(this.context), ...values);
    if (date.length > MAX_DATE) return value;
    return original.call(this, hasZone(date) ? date : inUtc(date), ...values);
  };
}

function timeOfRun(context: Context): unknown {
  const now = own(context.environments, 'now');
  if (now !== undefined) return now;
  throw new Failure('LIQUID_FAILED', 'the time of the run is not known here; give a date instead of "now".');
}

function hasZone(text: string): boolean {
  // Digits alone are seconds; a date in ISO form without a time is UTC already.
  return /^\d+$|^\d{4}(-\d\d){0,2}$|(Z|[A-Z]{3,4}|[+-]\d\d:?\d\d)(\s*\(.*\))?$/i.test(text.trim());
}

function inUtc(text: string): string {
  const zoned = [`${text}Z`, `${text} UTC`].find((each) => !Number.isNaN(Date.parse(each)));
  return zoned ?? text;
}

/** Comparing without case makes copies of both texts each time; they are counted. */
function chargedSort(filter: FilterImplOptions | undefined): Implementation {
  const original = implementationOf(filter);
  return function (value, property, ...values) {
    const list = Array.isArray(value) ? value : [];
    let size = 0;
    for (const item of list) {
      const text = typeof property === 'string' ? own(item, property) : item;
      if (typeof text === 'string') size += text.length;
    }
    this.context.memoryLimit.use(size * Math.ceil(Math.log2(list.length + 1)));
    return original.call(this, value, property, ...values);
  };
}
