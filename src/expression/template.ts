/**
 * The `$` template language of the channel format, section 5: JSON with templates in, closures out.
 * Compiled once per pipeline; rendering reads own properties only and never parses anything.
 */
import { Failure, type Problem } from '../errors.ts';
import { own, pointerTo, setOwn } from '../json.ts';
import { compileJsonata } from './jsonata.ts';
import { type Building, compileString, constantNode, gather, type Node, OMIT } from './node.ts';
import type { Reference, Scope } from './scope.ts';
import { missing, parseSource, reader, referenceOf } from './source.ts';
import { nameOfType } from './text.ts';

export { parseString } from './source.ts';

/** Arrays and objects within each other. */
const MAX_DEPTH = 400;

export interface Template {
  /**
   * The rendered value, or a promise of it where `async`. Throws Failure TEMPLATE_SYNTAX, TEMPLATE_VALUE_MISSING,
   * PIPE_PARAMS if a repeated source is no array, and what the JSONata expressions inside throw.
   */
  readonly render: (scope: Scope) => unknown;
  /** True where rendering gives the same value each time. */
  readonly constant: boolean;
  /** True where a JSONata expression is inside, so that `render` may give a promise. */
  readonly async: boolean;
  readonly references: readonly Reference[];
  readonly problems: readonly Problem[];
}

/**
 * Compiles a JSON value whose strings may hold templates. `pointer` is where the value stands in its document.
 * Mistakes are collected in `problems`; rendering such a template throws TEMPLATE_SYNTAX.
 */
export function compileTemplate(value: unknown, pointer = ''): Template {
  const building: Building = { references: [], problems: [], depth: 0 };
  const node = compileValue(value, pointer, false, building);
  const broken = building.problems[0];
  const render: Template['render'] = broken
    ? () => {
        throw new Failure('TEMPLATE_SYNTAX', broken.message, { problems: building.problems });
      }
    : (scope) => {
        const rendered = node.render(scope, undefined);
        return rendered instanceof Promise ? rendered.then(given) : given(rendered);
      };
  return {
    render,
    constant: node.constant && broken === undefined,
    async: node.async,
    references: building.references,
    problems: building.problems,
  };
}

/** What stands at the top and was left out is simply absent. */
function given(value: unknown): unknown {
  return value === OMIT ? undefined : value;
}

function compileValue(value: unknown, pointer: string, inItem: boolean, building: Building): Node {
  if (typeof value === 'string') return compileString(value, pointer, inItem, building);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return constantNode(value);
  if (building.depth >= MAX_DEPTH) {
    building.problems.push({
      pointer,
      message: `This is nested deeper than ${MAX_DEPTH} levels; flatten it.`,
    });
    return constantNode(undefined);
  }
  building.depth += 1;
  const node = Array.isArray(value)
    ? compileArray(value, pointer, inItem, building)
    : compileMembers(value, pointer, inItem, building);
  building.depth -= 1;
  return node;
}

function compileMembers(value: object, pointer: string, inItem: boolean, building: Building): Node {
  const expression = own(value, '$');
  if (Object.keys(value).length === 1 && typeof expression === 'string') {
    return compileExpression(expression, pointerTo(pointer, '$'), building);
  }
  return compileObject(value, pointer, inItem, building);
}

function compileExpression(text: string, pointer: string, building: Building): Node {
  try {
    const expression = compileJsonata(text, pointer);
    building.references.push(...expression.references);
    const orOmit = (value: unknown) => (value === undefined ? OMIT : value);
    return {
      render: (scope) => {
        const value = expression.evaluate(scope);
        return value instanceof Promise ? value.then(orOmit) : orOmit(value);
      },
      constant: false,
      async: expression.async,
    };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    building.problems.push({ pointer, message: thrown.message });
    return constantNode(undefined);
  }
}

function compileArray(
  values: readonly unknown[],
  pointer: string,
  inItem: boolean,
  building: Building,
): Node {
  const nodes = values.map((value, index) =>
    compileValue(value, pointerTo(pointer, index), inItem, building),
  );
  return gather(nodes, (rendered) => rendered.filter((value) => value !== OMIT));
}

function compileObject(value: object, pointer: string, inItem: boolean, building: Building): Node {
  const keys: string[] = [];
  const nodes: Node[] = [];
  for (const [key, member] of Object.entries(value)) {
    const memberPointer = pointerTo(pointer, key);
    const compiled = key.startsWith('$$')
      ? compileRepeat(key, member, memberPointer, inItem, building)
      : { key, node: compileValue(member, memberPointer, inItem, building) };
    if (compiled === undefined) continue;
    keys.push(compiled.key);
    nodes.push(compiled.node);
  }
  return gather(nodes, (rendered) => {
    const object: Record<string, unknown> = {};
    for (let index = 0; index < keys.length; index += 1) {
      if (rendered[index] !== OMIT) setOwn(object, keys[index] as string, rendered[index]);
    }
    return object;
  });
}

const REPEAT =
  /^\$\$(?:\{(?<braced>[^}]*)\}|(?<item>\[\$\])\{(?<itemBraced>[^}]*)\}|(?<bare>\[\$\][^[\]]*|[^[\]]+))\[(?<key>[^\]]+)\]$/su;

/** The source and the target of `$$source[target]`, or the sentence that says what is wrong. */
function parseRepeat(key: string, inItem: boolean) {
  const groups = REPEAT.exec(key)?.groups;
  if (groups?.key === undefined) {
    return `"${key}" is not a repeated member; write it as "$$in.data.items[name]": [ element ].`;
  }
  const text =
    groups.itemBraced === undefined ? (groups.braced ?? groups.bare ?? '') : `[$]${groups.itemBraced}`;
  const source = parseSource(text, inItem);
  if (source === undefined) {
    return `"${key}" does not name a source; it starts with a keyword such as "in" or, inside another repeated member, with "[$]".`;
  }
  return { source, target: groups.key };
}

function compileRepeat(
  key: string,
  member: unknown,
  pointer: string,
  inItem: boolean,
  building: Building,
): { key: string; node: Node } | undefined {
  const parsed = parseRepeat(key, inItem);
  if (typeof parsed === 'string' || !Array.isArray(member) || member.length !== 1) {
    const message =
      typeof parsed === 'string'
        ? parsed
        : `The value of "${key}" must be an array with exactly one element, which is rendered once per source item.`;
    building.problems.push({ pointer, message });
    return undefined;
  }
  const { source, target } = parsed;
  const reference = referenceOf(source, pointer, true);
  if (reference !== undefined) building.references.push(reference);
  const element = compileValue(member[0], pointerTo(pointer, 0), true, building);
  const read = reader(source);
  const items = (scope: Scope, item: unknown): readonly unknown[] | undefined => {
    const value = read(scope, item);
    if (value === undefined && source.optional) return undefined;
    if (value === undefined) throw missing(source);
    if (Array.isArray(value)) return value;
    throw new Failure(
      'PIPE_PARAMS',
      `${source.text} must be an array to repeat "${target}", but it is ${nameOfType(value)}.`,
    );
  };
  return { key: target, node: repeatNode(element, items) };
}

/** Renders `element` once per item, one after the other. */
function repeatNode(
  element: Node,
  items: (scope: Scope, item: unknown) => readonly unknown[] | undefined,
): Node {
  const keep = (values: unknown[]) => values.filter((value) => value !== OMIT);
  if (!element.async) {
    return {
      render: (scope, item) => {
        const list = items(scope, item);
        return list === undefined ? OMIT : keep(list.map((each) => element.render(scope, each)));
      },
      constant: false,
      async: false,
    };
  }
  return {
    render: async (scope, item) => {
      const list = items(scope, item);
      if (list === undefined) return OMIT;
      const rendered: unknown[] = [];
      for (const each of list) rendered.push(await element.render(scope, each));
      return keep(rendered);
    },
    constant: false,
    async: true,
  };
}
