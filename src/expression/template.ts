/**
 * The `$` template language of the channel format, section 5: JSON with templates in, closures out.
 * Compiled once per pipeline; rendering reads own properties only and never parses anything.
 */
import { Failure, type Problem } from '../errors.ts';
import { isObject, pointerTo, setOwn } from '../json.ts';
import { compileJsonata } from './jsonata.ts';
import { readPath, type Step, scanPath } from './path.ts';
import { isKeyword, type Keyword, type Reference, type Scope } from './scope.ts';
import { toText } from './text.ts';

/** Rendered in place of a member or array item that is to be left out. */
const OMIT = Symbol('omit');

type Render = (scope: Scope, item: unknown) => unknown;

interface Node {
  readonly render: Render;
  readonly constant: boolean;
  readonly async: boolean;
}

export interface Template {
  /** The rendered value, or a promise of it where `async`. Throws Failure TEMPLATE_VALUE_MISSING. */
  readonly render: (scope: Scope) => unknown;
  /** True where rendering gives the same value each time. */
  readonly constant: boolean;
  /** True where a JSONata expression is inside, so that `render` may give a promise. */
  readonly async: boolean;
  readonly references: readonly Reference[];
  readonly problems: readonly Problem[];
}

interface Source {
  readonly keyword: Keyword | undefined; // undefined: the item of the enclosing `$$`
  readonly path: readonly Step[];
  readonly optional: boolean;
  readonly text: string;
}

type Part = string | Source;

interface Building {
  readonly references: Reference[];
  readonly problems: Problem[];
}

/**
 * Compiles a JSON value whose strings may hold templates. `pointer` is where the value stands in its document.
 * Mistakes are collected in `problems`; rendering such a template throws TEMPLATE_SYNTAX.
 */
export function compileTemplate(value: unknown, pointer = ''): Template {
  const building: Building = { references: [], problems: [] };
  const node = compileValue(value, pointer, false, building);
  const broken = building.problems[0];
  const render: Template['render'] = broken
    ? () => {
        throw new Failure('TEMPLATE_SYNTAX', broken.message, { problems: building.problems });
      }
    : node.async
      ? async (scope) => given(await node.render(scope, undefined))
      : (scope) => given(node.render(scope, undefined));
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

function constantNode(value: unknown): Node {
  return { render: () => value, constant: true, async: false };
}

function compileValue(value: unknown, pointer: string, inItem: boolean, building: Building): Node {
  if (typeof value === 'string') return compileString(value, pointer, inItem, building);
  if (Array.isArray(value)) return compileArray(value, pointer, inItem, building);
  if (isObject(value)) {
    const keys = Object.keys(value);
    const expression = value.$;
    if (keys.length === 1 && keys[0] === '$' && typeof expression === 'string') {
      return compileExpression(expression, pointerTo(pointer, '$'), building);
    }
    return compileObject(value, pointer, inItem, building);
  }
  return constantNode(value);
}

function compileExpression(text: string, pointer: string, building: Building): Node {
  try {
    const expression = compileJsonata(text, pointer);
    building.references.push(...expression.references);
    return {
      render: (scope) => {
        const value = expression.evaluate(scope);
        if (value instanceof Promise) return value.then((result) => (result === undefined ? OMIT : result));
        return value === undefined ? OMIT : value;
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
  if (nodes.every((node) => node.constant)) return constantNode(values);
  const assemble = (rendered: unknown[]) => rendered.filter((value) => value !== OMIT);
  if (nodes.some((node) => node.async)) {
    return {
      render: async (scope, item) =>
        assemble(await Promise.all(nodes.map((node) => node.render(scope, item)))),
      constant: false,
      async: true,
    };
  }
  return {
    render: (scope, item) => assemble(nodes.map((node) => node.render(scope, item))),
    constant: false,
    async: false,
  };
}

function compileObject(
  value: Record<string, unknown>,
  pointer: string,
  inItem: boolean,
  building: Building,
): Node {
  const keys: string[] = [];
  const nodes: Node[] = [];
  for (const [key, member] of Object.entries(value)) {
    const memberPointer = pointerTo(pointer, key);
    if (key.startsWith('$$')) {
      const repeat = compileRepeat(key, member, memberPointer, inItem, building);
      if (repeat === undefined) continue;
      keys.push(repeat.key);
      nodes.push(repeat.node);
    } else {
      keys.push(key);
      nodes.push(compileValue(member, memberPointer, inItem, building));
    }
  }
  if (nodes.every((node) => node.constant)) return constantNode(value);
  const assemble = (rendered: readonly unknown[]) => {
    const object: Record<string, unknown> = {};
    for (let index = 0; index < keys.length; index += 1) {
      const member = rendered[index];
      if (member !== OMIT) setOwn(object, keys[index] as string, member);
    }
    return object;
  };
  if (nodes.some((node) => node.async)) {
    return {
      render: async (scope, item) =>
        assemble(await Promise.all(nodes.map((node) => node.render(scope, item)))),
      constant: false,
      async: true,
    };
  }
  return {
    render: (scope, item) => assemble(nodes.map((node) => node.render(scope, item))),
    constant: false,
    async: false,
  };
}

const REPEAT = /^\$\$(\{(?<braced>[^}]*)\}|(?<bare>(?:\[\$\])?[^[\]]+?))\[(?<key>[^\]]+)\]$/su;

function compileRepeat(
  key: string,
  member: unknown,
  pointer: string,
  inItem: boolean,
  building: Building,
): { key: string; node: Node } | undefined {
  const match = REPEAT.exec(key);
  const sourceText = match?.groups?.braced ?? match?.groups?.bare;
  const target = match?.groups?.key;
  const complain = (message: string) => {
    building.problems.push({ pointer, message });
    return undefined;
  };
  if (sourceText === undefined || target === undefined) {
    return complain(`"${key}" is not a repeated member; write it as "$$in.data.items[name]": [ element ].`);
  }
  const source = parseSource(sourceText, inItem);
  if (source === undefined) {
    return complain(
      `"${key}" does not name a source; it starts with a keyword such as "in" or, inside another repeated member, with "[$]".`,
    );
  }
  if (!Array.isArray(member) || member.length !== 1) {
    return complain(
      `The value of "${key}" must be an array with exactly one element, which is rendered once per source item.`,
    );
  }
  note(source, pointer, true, building);
  const element = compileValue(member[0], pointerTo(pointer, 0), true, building);
  const read = reader(source);
  const items = (scope: Scope, item: unknown): readonly unknown[] | undefined => {
    const value = read(scope, item);
    if (value === undefined) {
      if (source.optional) return undefined;
      throw missing(source);
    }
    if (!Array.isArray(value)) {
      throw new Failure(
        'PIPE_PARAMS',
        `${source.text} must be an array to repeat "${target}", but it is ${describe(value)}.`,
      );
    }
    return value;
  };
  const keep = (values: unknown[]) => values.filter((value) => value !== OMIT);
  const node: Node = element.async
    ? {
        render: async (scope, item) => {
          const list = items(scope, item);
          return list === undefined
            ? OMIT
            : keep(await Promise.all(list.map((each) => element.render(scope, each))));
        },
        constant: false,
        async: true,
      }
    : {
        render: (scope, item) => {
          const list = items(scope, item);
          return list === undefined ? OMIT : keep(list.map((each) => element.render(scope, each)));
        },
        constant: false,
        async: false,
      };
  return { key: target, node };
}

/** What kind of value it is, for a sentence. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Uint8Array) return 'bytes (is an unpack missing?)';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function parseSource(text: string, inItem: boolean): Source | undefined {
  const optional = text.endsWith('?');
  const body = optional ? text.slice(0, -1) : text;
  const fromItem = body.startsWith('[$]');
  if (fromItem && !inItem) return undefined;
  const start = fromItem ? 3 : 0;
  const { path, end } = scanPath(body, start, true);
  if (end !== body.length) return undefined;
  if (fromItem) return { keyword: undefined, path, optional, text: `[$]${body.slice(3)}` };
  const [first, ...rest] = path;
  if (typeof first !== 'string' || !isKeyword(first)) return undefined;
  return { keyword: first, path: rest, optional, text: `$${body}` };
}

function note(source: Source, pointer: string, typed: boolean, building: Building): void {
  if (source.keyword === undefined) return;
  const { keyword, path, text, optional } = source;
  building.references.push({ keyword, path, text, pointer, typed, optional });
}

function reader(source: Source): Render {
  const { keyword, path } = source;
  if (keyword === undefined) return (_scope, item) => readPath(item, path);
  const [first] = path;
  if (path.length === 0) return (scope) => scope[keyword];
  if (path.length === 1 && typeof first === 'string') {
    return (scope) => {
      const root = scope[keyword];
      return typeof root === 'object' && root !== null && Object.hasOwn(root, first)
        ? readPath(root, path)
        : undefined;
    };
  }
  return (scope) => readPath(scope[keyword], path);
}

function missing(source: Source): Failure {
  return new Failure(
    'TEMPLATE_VALUE_MISSING',
    `${source.text} has no value here. If it may be missing, write it as \${${source.text.replace(/^\$/, '')}?}.`,
  );
}

function compileString(text: string, pointer: string, inItem: boolean, building: Building): Node {
  if (!text.includes('$')) return constantNode(text);
  const parsed = parseString(text, inItem);
  if ('problem' in parsed) {
    building.problems.push({ pointer, message: parsed.problem });
    return constantNode(undefined);
  }
  for (const part of parsed.parts) if (typeof part !== 'string') note(part, pointer, parsed.typed, building);
  const [only] = parsed.parts;
  if (parsed.typed && only !== undefined && typeof only !== 'string') return typedNode(only);
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

type Parsed = { readonly parts: readonly Part[]; readonly typed: boolean } | { readonly problem: string };

/** Splits a string into constant text and sources. */
export function parseString(text: string, inItem = false): Parsed {
  const parts: Part[] = [];
  let literal = '';
  let position = 0;
  const push = (source: Source) => {
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push(source);
  };
  while (position < text.length) {
    const character = text[position] as string;
    if (character === '\\' && text[position + 1] === '$') {
      literal += '$';
      position += 2;
      continue;
    }
    const found =
      character === '$'
        ? scanKeyword(text, position)
        : character === '[' && inItem
          ? scanItem(text, position)
          : undefined;
    if (found === undefined) {
      literal += character;
      position += 1;
      continue;
    }
    if ('problem' in found) return found;
    if (found.typed) {
      if (position !== 0 || found.end !== text.length) {
        return {
          problem: `${text.slice(position, found.end)} keeps the type of its value, so it must be the whole string; inside a longer text write it without "#".`,
        };
      }
      return { parts: [found.source], typed: true };
    }
    push(found.source);
    position = found.end;
  }
  if (literal !== '') parts.push(literal);
  return { parts, typed: false };
}

type Found = { source: Source; end: number; typed: boolean } | { problem: string } | undefined;

function scanKeyword(text: string, start: number): Found {
  let position = start + 1;
  const typed = text[position] === '#';
  if (typed) position += 1;
  if (text[position] === '{') {
    const close = closingBrace(text, position);
    const inside = close === undefined ? '' : text.slice(position + 1, close);
    const { path } = scanPath(inside, 0, true);
    if (typeof path[0] !== 'string' || !isKeyword(path[0])) return undefined;
    const source = parseSource(inside, false);
    if (source === undefined || close === undefined) {
      return {
        problem: `\${${inside}} is not a path; write member names with dots, array positions as %0, and other keys in quotes: \${in.headers.'x-id'}.`,
      };
    }
    return { source, end: close + 1, typed };
  }
  const { path, end } = scanPath(text, position, false);
  const [keyword, ...rest] = path;
  if (typeof keyword !== 'string' || !isKeyword(keyword)) return undefined;
  const source = { keyword, path: rest, optional: false, text: `$${text.slice(position, end)}` };
  return { source, end, typed };
}

function scanItem(text: string, start: number): Found {
  const typed = text.startsWith('[$#]', start);
  if (!typed && !text.startsWith('[$]', start)) return undefined;
  const position = start + (typed ? 4 : 3);
  if (text[position] === '{') {
    const close = closingBrace(text, position);
    const source =
      close === undefined ? undefined : parseSource(`[$]${text.slice(position + 1, close)}`, true);
    if (source === undefined || close === undefined) {
      return { problem: `${text.slice(start)} is not a path into the item; write [$]name or [$]{name?}.` };
    }
    return { source, end: close + 1, typed };
  }
  const { path, end } = scanPath(text, position, false);
  return {
    source: { keyword: undefined, path, optional: false, text: `[$]${text.slice(position, end)}` },
    end,
    typed,
  };
}

/** The position of the `}` that closes the `{` at `open`, passing over quoted keys. */
function closingBrace(text: string, open: number): number | undefined {
  let quoted = false;
  for (let position = open + 1; position < text.length; position += 1) {
    if (text[position] === "'") quoted = !quoted;
    else if (text[position] === '}' && !quoted) return position;
  }
  return undefined;
}
