/** How a value of each field type is checked (channel format, section 3.2): one closure per field, made once. */
import { compileRegex } from '../expression/regex.ts';
import { isObject } from '../json.ts';
import { didYouMean, listed, nearName } from '../near.ts';
import type { Field } from './document.ts';
import { fileProblem } from './file-values.ts';
import { unstorable, type Wrong } from './unstorable.ts';

/** `saved`: as an editor wrote it, Liquid still in it. `final`: as it is sent. */
export type ValueMode = 'saved' | 'final';

/** What is wrong with a value, or undefined if it fits. */
export type ValueCheck = (value: unknown, mode: ValueMode) => Wrong | undefined;

const COLOR = /^#[0-9a-f]{6}$/i;
const MOMENT =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)$/;

const wrong = (message: string): Wrong => ({ message });

/** The check of one value of a field; for a field with `multiple`, of one element. Throws REGEX_INVALID. */
export function valueCheck(field: Field, liquid: boolean): ValueCheck {
  switch (field.type) {
    case 'int':
    case 'number':
      return numberCheck(field);
    case 'string':
    case 'text':
    case 'html':
      return textCheck(field, liquid);
    case 'url':
      return urlCheck(field);
    case 'bool':
      return (value) => (typeof value === 'boolean' ? undefined : wrong('must be true or false'));
    case 'enum':
      return enumCheck(field);
    case 'color':
      return matching(COLOR, 'must be a colour as #rrggbb');
    case 'datetime':
      return (value) =>
        typeof value === 'string' && isMoment(value)
          ? undefined
          : wrong('must be a time with its zone, as 2026-01-31T12:00:00Z or 2026-01-31T12:00:00+03:00');
    case 'file':
      return (value) => fileProblem(value, field);
    case 'json':
      return (value) => unstorable(value);
    case 'entity':
      return (value) =>
        isObject(value) || (typeof value === 'string' && value !== '') || typeof value === 'number'
          ? unstorable(value)
          : wrong('must be a record of its entity, or the primary value of one');
  }
}

function numberCheck({ type, min, max }: Field): ValueCheck {
  const bounds = boundsText(min, max, 'be');
  return (value) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      return wrong(type === 'int' ? 'must be a whole number' : 'must be a number');
    }
    if (type === 'int' && !Number.isSafeInteger(value)) return wrong('must be a whole number');
    return (min !== undefined && value < min) || (max !== undefined && value > max)
      ? wrong(bounds)
      : undefined;
  };
}

function textCheck({ min_length: least, max_length: most, pattern }: Field, liquid: boolean): ValueCheck {
  const regex = pattern === undefined ? undefined : compileRegex(pattern);
  const bounds = `${boundsText(least, most, 'have')} characters`;
  return (value, mode) => {
    if (typeof value !== 'string') return wrong('must be a text');
    const unsound = unstorable(value);
    if (unsound !== undefined) return unsound;
    if (liquid && mode === 'saved' && isLiquid(value)) return undefined;
    if (least !== undefined || most !== undefined) {
      const length = codePoints(value);
      if (length < (least ?? 0) || length > (most ?? Number.POSITIVE_INFINITY)) {
        return wrong(`${bounds}, but has ${length}`);
      }
    }
    return regex?.test(value) === false ? wrong(`does not match the pattern ${pattern}`) : undefined;
  };
}

function urlCheck(field: Field): ValueCheck {
  const text = textCheck(field, false);
  return (value, mode) => {
    const problem = text(value, mode);
    if (problem !== undefined) return problem;
    const protocol = URL.canParse(String(value)) ? new URL(String(value)).protocol : '';
    return protocol === 'https:' || protocol === 'http:'
      ? undefined
      : wrong('must be an address that starts with https:// or http://');
  };
}

function enumCheck({ options = [], secret }: Field): ValueCheck {
  const values = new Set<unknown>(options.map((option) => option.value));
  const names = [...options.map((option) => String(option.value))];
  return (value) => {
    if (values.has(value)) return undefined;
    const near = typeof value === 'string' && secret !== true ? nearName(value, names) : undefined;
    return wrong(`must be one of ${listed(options.map((option) => option.value))}.${didYouMean(near)}`);
  };
}

function matching(pattern: RegExp, message: string): ValueCheck {
  return (value) => (typeof value === 'string' && pattern.test(value) ? undefined : wrong(message));
}

function boundsText(least: number | undefined, most: number | undefined, verb: string): string {
  const low = least === undefined ? undefined : `at least ${least}`;
  const high = most === undefined ? undefined : `at most ${most}`;
  return `must ${verb} ${[low, high].filter((each) => each !== undefined).join(' and ')}`;
}

/** True for text that Liquid would render. */
export function isLiquid(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

/** Characters as people count them: surrogate pairs are one. */
function codePoints(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) length -= 1;
  }
  return length;
}

function isMoment(text: string): boolean {
  const parts = MOMENT.exec(text);
  if (parts === null) return false;
  const [year, month, day] = parts.slice(1, 4).map(Number) as [number, number, number];
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
