/** Reads the arguments of a command by its declaration, and says in a sentence what is wrong with them. */
import { parseArgs } from 'node:util';
import { Failure } from '../errors.ts';
import { didYouMean, nearName } from '../near.ts';
import {
  type CommandName,
  DECLARATIONS,
  type Declaration,
  type OptionTable,
  usageOf,
} from './declarations.ts';

type Given<S> = S extends { readonly type: 'boolean' }
  ? boolean
  : S extends { readonly required: true } | { readonly default: string }
    ? string
    : string | undefined;

/** The options of a command, by name. */
export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: Given<T[K]> };

export interface Arguments<N extends CommandName> {
  readonly places: readonly string[];
  readonly options: OptionValues<(typeof DECLARATIONS)[N]['options']>;
}

/** Throws REQUEST_INVALID. */
export function readArguments<N extends CommandName>(name: N, args: readonly string[]): Arguments<N> {
  const { options: table, takes }: Declaration = DECLARATIONS[name];
  const wrong = (sentence: string) =>
    new Failure('REQUEST_INVALID', `${sentence} Use: sluiceway ${usageOf(name)}`);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(table).map(([option, { type }]) => [option, { type }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | boolean | undefined> = {};
  for (const [option, { type, default: usual }] of Object.entries(table)) {
    values[option] = type === 'boolean' ? false : usual;
  }
  const places: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') places.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (spec === undefined || !token.rawName.startsWith('--')) {
      const near = nearName(token.name, Object.keys(table));
      throw wrong(
        `"${name}" has no option "${token.rawName}".${didYouMean(near === undefined ? near : `--${near}`)}`,
      );
    }
    if (spec.type === 'boolean') {
      if (token.value !== undefined) throw wrong(`The option "${token.rawName}" takes no value.`);
      values[token.name] = true;
      continue;
    }
    const { value, inlineValue } = token;
    // What looks like the next option is one, unless it was tied to this one with "=".
    if (value === undefined || value === '' || (inlineValue === false && /^--\w/.test(value))) {
      throw wrong(
        `The option "${token.rawName}" needs a value: ${token.rawName} <${spec.value ?? 'value'}>.`,
      );
    }
    values[token.name] = value;
  }
  for (const [option, { required, value }] of Object.entries(table)) {
    if (required === true && values[option] === undefined)
      throw wrong(`"${name}" needs the option --${option} <${value ?? 'value'}>.`);
  }
  const missing = takes[places.length];
  if (missing !== undefined && !missing.startsWith('[')) throw wrong(`"${name}" needs <${missing}>.`);
  const extra = takes.some((place) => place.endsWith('…]')) ? undefined : places[takes.length];
  if (extra !== undefined) throw wrong(`"${name}" does not know what to do with "${extra}".`);
  return { places, options: values as Arguments<N>['options'] };
}

/** One of some words. Throws REQUEST_INVALID with the nearest. */
export function oneOf<T extends string>(what: string, given: string, known: readonly T[]): T {
  const found = known.find((each) => each === given);
  if (found !== undefined) return found;
  throw new Failure(
    'REQUEST_INVALID',
    `${what} is one of ${known.join(', ')}, not "${given}".${didYouMean(nearName(given, known))}`,
  );
}
