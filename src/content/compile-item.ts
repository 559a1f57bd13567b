/** The content of an item compiled once: a function of what its variables are for one person. */
import { Failure } from '../errors.ts';
import {
  compileLiquidValue,
  type LiquidPiece,
  type LiquidValueOptions,
  type PlacedVariable,
  valueOfPiece,
} from '../expression/liquid-value.ts';
import { isObject, pointerTo, setOwn } from '../json.ts';
import { type PersonalizationEntry, readEntries } from './entries.ts';
import {
  compilePersonalization,
  missingVariables,
  type Resolved,
  type UsedFormula,
  usedFormulas,
} from './personalization.ts';
import { CONTENT_TYPES } from './types/catalog.ts';
import type { ChannelType } from './types/contract.ts';
import { findUnresolved, type UnresolvedVariable } from './unresolved.ts';

type Values = Readonly<Record<string, unknown>>;

/** What of an item is delivered. */
export interface ItemContent {
  readonly channelType: ChannelType;
  readonly content: Values;
  readonly personalization: readonly PersonalizationEntry[] | null;
}

/** A part of the content, and the name under which its rendering is given. */
export interface ContentPart {
  readonly name: string;
  /** Where it is in the content, for example `payload.title`. */
  readonly key: string;
  /** The kind of the text at a path in the content. */
  readonly kindOf: LiquidValueOptions['kindOf'];
}

export interface CompiledItem {
  /** Names of the parts that are in the content. */
  readonly names: readonly string[];
  /** The parts that are the same for everyone. */
  readonly constants: Values;
  readonly variables: readonly PlacedVariable[];
  readonly formulas: readonly UsedFormula[];
  readonly unresolved: readonly UnresolvedVariable[];
  /** Values with their fallbacks; a promise only where there are formulas. */
  readonly resolve: (values: Values) => Resolved | Promise<Resolved>;
  /** The parts by their names. Throws CONTENT_VARIABLE_MISSING if it is strict and an output has no value. */
  readonly write: (values: Values) => Record<string, unknown>;
}

/**
 * Compiles parts of an item. Throws LIQUID_SYNTAX, REQUEST_INVALID and JSONATA_SYNTAX with pointers into the item.
 * `strict`, for delivery: no output is silently empty.
 */
export function compileItem(item: ItemContent, parts: readonly ContentPart[], strict: boolean): CompiledItem {
  const entries = readEntries(item.personalization);
  const variables: PlacedVariable[] = [];
  const pieces = parts.flatMap(({ name, key, kindOf }): { name: string; piece: LiquidPiece }[] => {
    const value = partOf(item, key);
    if (value === undefined) return [];
    const path = key.split('.');
    const compiled = compileLiquidValue(value, {
      kindOf: (inner) => kindOf([...path, ...inner]),
      strict,
      pointer: path.reduce(pointerTo, '/content'),
      explain: (thrown, pointer) => placed(key, thrown, pointer),
    });
    variables.push(...compiled.variables);
    return [{ name, piece: compiled.piece }];
  });
  const formulas = usedFormulas(entries, variables);
  return Object.freeze({
    names: pieces.map(({ name }) => name),
    constants: Object.fromEntries(
      pieces.flatMap(({ name, piece }) => ('constant' in piece ? [[name, piece.constant]] : [])),
    ),
    variables,
    formulas,
    unresolved: findUnresolved(variables, entries),
    resolve: compilePersonalization(entries, variables, formulas),
    write: (values: Values) => {
      const rendered: Record<string, unknown> = {};
      for (const { name, piece } of pieces) setOwn(rendered, name, valueOfPiece(piece, values));
      return rendered;
    },
  });
}

/** Every key of a content as a part of its own. */
export function wholeContent({ channelType, content }: ItemContent): readonly ContentPart[] {
  const { personalizable: kindOf } = CONTENT_TYPES[channelType];
  return Object.keys(content).map((key) => ({ name: key, key, kindOf }));
}

/**
 * The variables of an item that have neither a fallback nor "required": while there is one, it is not to be published.
 * Throws what `compileItem` throws.
 */
export function unresolvedVariables(item: ItemContent): readonly UnresolvedVariable[] {
  return compileItem(item, wholeContent(item), false).unresolved;
}

/** Returns the parts by their names. Throws or rejects with CONTENT_VARIABLE_MISSING, naming every variable that is. */
export function renderItem(
  { resolve, write }: CompiledItem,
  values: Values,
): Record<string, unknown> | Promise<Record<string, unknown>> {
  const finish = (resolved: Resolved) => {
    if (resolved.missing.length > 0) throw missingVariables(resolved.missing);
    return write(resolved.values);
  };
  const resolved = resolve(values);
  return resolved instanceof Promise ? resolved.then(finish) : finish(resolved);
}

function partOf({ content }: ItemContent, key: string): unknown {
  let value: unknown = content;
  for (const name of key.split('.')) {
    const holds = (isObject(value) || Array.isArray(value)) && Object.hasOwn(value, name);
    value = holds ? Reflect.get(value as object, name) : undefined;
  }
  return value === null ? undefined : value;
}

/** Says which part of the content a failure is about. */
function placed(key: string, thrown: unknown, pointer: string): unknown {
  if (!(thrown instanceof Failure)) return thrown;
  const message = `"${key}" of the content: ${thrown.message}`;
  return new Failure(thrown.code, message, { problems: [{ pointer, message }], cause: thrown });
}
