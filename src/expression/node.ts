/** The parts a compiled template consists of: one node per value of the document. */
import type { Problem } from '../errors.ts';
import type { Reference, Scope } from './scope.ts';
import { missing, type Part, parseString, reader, referenceOf, type Source } from './source.ts';
import { toText } from './text.ts';

/** Rendered in place of a member or array item that is to be left out. */
export const OMIT = Symbol('omit');

export interface Node {
  /** The value, or where `async` perhaps a promise of it. `item` is the item of the enclosing repeated member. */
  readonly render: (scope: Scope, item: unknown) => unknown;
  readonly constant: boolean;
  readonly async: boolean;
}

/** What compiling collects beside the nodes. */
export interface Building {
  readonly references: Reference[];
  readonly problems: Problem[];
  /** Arrays and objects around the value that is being compiled. */
  depth: number;
}

export function constantNode(value: unknown): Node {
  return { render: () => value, constant: true, async: false };
}

/** One node from several: `assemble` makes its value of theirs. Those that wait are awaited one after the other. */
export function gather(nodes: readonly Node[], assemble: (rendered: unknown[]) => unknown): Node {
  if (nodes.every((node) => node.constant)) {
    return constantNode(assemble(nodes.map((node) => node.render({}, undefined))));
  }
  if (!nodes.some((node) => node.async)) {
    return {
      render: (scope, item) => assemble(nodes.map((node) => node.render(scope, item))),
      constant: false,
      async: false,
    };
  }
  return {
    render: async (scope, item) => {
      const rendered: unknown[] = [];
      for (const node of nodes) {
        const value = node.render(scope, item);
        // Only promises are awaited, so that data with a member `then` stays data.
        rendered.push(value instanceof Promise ? await value : value);
      }
      return assemble(rendered);
    },
    constant: false,
    async: true,
  };
}

/** Compiles a string: constant text, one typed value, or text with values in it. */
export function compileString(text: string, pointer: string, inItem: boolean, building: Building): Node {
  if (!text.includes('$')) return constantNode(text);
  const parsed = parseString(text, inItem);
  if ('problem' in parsed) {
    building.problems.push({ pointer, message: parsed.problem });
    return constantNode(undefined);
  }
  for (const part of parsed.parts) {
    const reference = typeof part === 'string' ? undefined : referenceOf(part, pointer, parsed.typed);
    if (reference !== undefined) building.references.push(reference);
  }
  const [only] = parsed.parts;
  if (parsed.typed && only !== undefined && typeof only !== 'string') return typedNode(only);
  const [dollar, list] = parsed.parts;
  if (dollar === '$' && parsed.parts.length === 2 && typeof list === 'object') return listNode(list);
  if (parsed.parts.every((part) => typeof part === 'string')) return constantNode(parsed.parts.join(''));
  return textNode(parsed.parts);
}

function typedNode(source: Source): Node {
  const read = reader(source);
  return {
    render: (scope, item) => {
      const value = read(scope, item);
      if (value !== undefined) return value;
      if (source.optional) return OMIT;
      throw missing(source);
    },
    constant: false,
    async: false,
  };
}

/** `$$in.list`, the whole string: an array itself; any other value is text behind a dollar. */
function listNode(source: Source): Node {
  const read = reader(source);
  const text = textNode(['$', source]);
  return {
    render: (scope, item) => {
      const value = read(scope, item);
      if (Array.isArray(value)) return value;
      return value === undefined && source.optional ? OMIT : text.render(scope, item);
    },
    constant: false,
    async: false,
  };
}

function textNode(parts: readonly Part[]): Node {
  const renders = parts.map((part): ((scope: Scope, item: unknown) => string) => {
    if (typeof part === 'string') return () => part;
    const read = reader(part);
    return (scope, item) => {
      const value = read(scope, item);
      if (value === undefined) {
        if (part.optional) return '';
        throw missing(part);
      }
      return typeof value === 'string' ? value : toText(value);
    };
  });
  const [first] = renders;
  if (renders.length === 1 && first !== undefined) return { render: first, constant: false, async: false };
  return {
    render: (scope, item) => {
      let text = '';
      for (const render of renders) text += render(scope, item);
      return text;
    },
    constant: false,
    async: false,
  };
}
