/** Compiles a pipe's params, as the author wrote them, into one function from scope to rendered params. */
import { Failure, type Problem } from '../errors.ts';
import { compileJsonata } from '../expression/jsonata.ts';
import { compileQuery } from '../expression/query.ts';
import type { Reference, Scope } from '../expression/scope.ts';
import { compileTemplate, parseString } from '../expression/template.ts';
import { toText } from '../expression/text.ts';
import { isObject, pointerTo, setOwn } from '../json.ts';
import type { BoundSql, Param, Params } from '../pipes/params.ts';

type Render = (scope: Scope) => unknown;

interface Node {
  readonly render: Render;
  readonly constant: boolean;
  readonly async: boolean;
}

export interface CompiledParams {
  /** The rendered params, or a promise of them where `async`. Throws Failure. */
  readonly render: Render;
  readonly async: boolean;
  readonly references: readonly Reference[];
  readonly problems: readonly Problem[];
}

interface Building {
  readonly references: Reference[];
  readonly problems: Problem[];
}

/** Compiles the params of one pipe. `pointer` is where they stand in the document. */
export function compileParams(
  params: Params,
  written: Readonly<Record<string, unknown>>,
  pointer = '',
): CompiledParams {
  const building: Building = { references: [], problems: [] };
  const node = membersNode(params, written, pointer, building);
  return {
    render: node.render,
    async: node.async,
    references: building.references,
    problems: building.problems,
  };
}

function constantNode(value: unknown): Node {
  return { render: () => value, constant: true, async: false };
}

function membersNode(
  params: Params,
  written: Readonly<Record<string, unknown>>,
  pointer: string,
  building: Building,
): Node {
  const names: string[] = [];
  const nodes: Node[] = [];
  for (const [name, param] of Object.entries(params)) {
    if (Object.hasOwn(written, name)) {
      names.push(name);
      nodes.push(paramNode(param, written[name], pointerTo(pointer, name), building));
    } else if (param.presence === 'defaulted') {
      names.push(name);
      nodes.push(paramNode(param, param.default, pointerTo(pointer, name), building));
    }
  }
  // A run copies what is the same for every run and fills in its own: a copy keeps the shape that the original has.
  const object: Record<string, unknown> = {};
  const varying: { readonly name: string; readonly render: Render }[] = [];
  names.forEach((name, index) => {
    const { constant, render } = nodes[index] as Node;
    const value = constant ? render({}) : undefined;
    if (!constant) varying.push({ name, render });
    if (!constant || value !== undefined) setOwn(object, name, value);
  });
  if (varying.length === 0) return constantNode(Object.freeze(object));
  if (nodes.some((node) => node.async)) {
    return {
      render: async (scope) => {
        const values = await Promise.all(varying.map(({ render }) => render(scope)));
        const filled = { ...object };
        for (const [index, { name }] of varying.entries()) fill(filled, name, values[index]);
        return filled;
      },
      constant: false,
      async: true,
    };
  }
  return {
    render: (scope) => {
      const filled = { ...object };
      for (const { name, render } of varying) fill(filled, name, render(scope));
      return filled;
    },
    constant: false,
    async: false,
  };
}

/** What has no value is absent. */
function fill(object: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined) delete object[name];
  else setOwn(object, name, value);
}

/** Nodes whose values stand in a list; what has no value is left out. */
function listNode(nodes: readonly Node[]): Node {
  const present = (values: readonly unknown[]) => values.filter((value) => value !== undefined);
  if (nodes.every((node) => node.constant)) {
    return constantNode(Object.freeze(present(nodes.map((node) => node.render({})))));
  }
  if (nodes.some((node) => node.async)) {
    return {
      render: async (scope) => present(await Promise.all(nodes.map((node) => node.render(scope)))),
      constant: false,
      async: true,
    };
  }
  return {
    render: (scope) => present(nodes.map((node) => node.render(scope))),
    constant: false,
    async: false,
  };
}

function paramNode(param: Param, value: unknown, pointer: string, building: Building): Node {
  switch (param.kind) {
    case 'query': {
      const query = attempt(() => compileQuery(String(value), pointer), pointer, building);
      if (query === undefined) return constantNode(undefined);
      building.references.push(...query.references);
      return { render: (scope) => () => query.test(scope), constant: false, async: false };
    }
    case 'jsonata': {
      const expression = attempt(() => compileJsonata(String(value), pointer), pointer, building);
      if (expression === undefined) return constantNode(undefined);
      building.references.push(...expression.references);
      return {
        render: (scope) => (extra?: Readonly<Record<string, unknown>>) => expression.evaluate(scope, extra),
        constant: false,
        async: false,
      };
    }
    case 'sql':
      return sqlNode(String(value), pointer, building);
    case 'object':
      if (isObject(value)) return membersNode(param.members ?? {}, value, pointer, building);
      break;
    case 'array':
      if (Array.isArray(value) && param.items !== undefined && !hasRepeat(value)) {
        const { items } = param;
        return listNode(
          value.map((each, index) => paramNode(items, each, pointerTo(pointer, index), building)),
        );
      }
      break;
    default:
  }
  return param.templates || param.items?.templates
    ? templateNode(param, value, pointer, building)
    : constantNode(coerce(param, value));
}

/** A JSONata object or text in place of the list itself. */
function hasRepeat(values: readonly unknown[]): boolean {
  return values.length === 1 && isObject(values[0]) && Object.keys(values[0]).join() === '$';
}

function attempt<T>(compile: () => T, pointer: string, building: Building): T | undefined {
  try {
    return compile();
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    building.problems.push({ pointer, message: thrown.message });
    return undefined;
  }
}

const WHOLE_REFERENCE = /^\$(?=[\p{L}{])/u;

function templateNode(param: Param, value: unknown, pointer: string, building: Building): Node {
  const source =
    param.typed && typeof value === 'string' && isOneReference(value)
      ? value.replace(WHOLE_REFERENCE, '$$#')
      : value;
  const template = compileTemplate(source, pointer);
  building.references.push(...template.references);
  building.problems.push(...template.problems);
  if (template.problems.length > 0) return constantNode(undefined);
  if (template.constant) return constantNode(coerce(param, template.render({})));
  return template.async
    ? { render: async (scope) => coerce(param, await template.render(scope)), constant: false, async: true }
    : { render: (scope) => coerce(param, template.render(scope)), constant: false, async: false };
}

function isOneReference(text: string): boolean {
  const parsed = parseString(text);
  return !('problem' in parsed) && parsed.parts.length === 1 && typeof parsed.parts[0] !== 'string';
}

/** Gives a rendered value the type its param declares; text of a number is a number where one is wanted. */
function coerce(param: Param, value: unknown): unknown {
  if (value === undefined) return undefined;
  switch (param.kind) {
    case 'string':
      return typeof value === 'string' ? value : toText(value);
    case 'number':
    case 'integer': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) {
        throw new Failure(
          'PIPE_PARAMS',
          `A number is needed here, but the value is ${JSON.stringify(value)}.`,
        );
      }
      if (param.kind === 'integer' && !Number.isInteger(number)) {
        throw new Failure('PIPE_PARAMS', `A whole number is needed here, but the value is ${number}.`);
      }
      return number;
    }
    case 'boolean':
      if (value === true || value === 'true') return true;
      if (value === false || value === 'false') return false;
      throw new Failure(
        'PIPE_PARAMS',
        `true or false is needed here, but the value is ${JSON.stringify(value)}.`,
      );
    case 'array':
      if (!Array.isArray(value)) {
        throw new Failure('PIPE_PARAMS', 'An array is needed here, but the value is something else.');
      }
      return value;
    case 'map':
      if (!isObject(value)) {
        throw new Failure('PIPE_PARAMS', 'An object is needed here, but the value is something else.');
      }
      return value;
    default:
      return value;
  }
}

function sqlNode(text: string, pointer: string, building: Building): Node {
  const parsed = parseString(text);
  if ('problem' in parsed) {
    building.problems.push({ pointer, message: parsed.problem });
    return constantNode(undefined);
  }
  let statement = '';
  const values: string[] = [];
  for (const part of parsed.parts) {
    if (typeof part === 'string') statement += part;
    else {
      statement += '?';
      values.push(part.optional ? `$#{${part.text.slice(1)}?}` : `$#{${part.text.slice(1)}}`);
    }
  }
  const templates = values.map((value) => compileTemplate(value, pointer));
  for (const template of templates) building.references.push(...template.references);
  return {
    render: (scope): BoundSql => ({
      text: statement,
      values: templates.map((template) => template.render(scope) ?? null),
    }),
    constant: false,
    async: false,
  };
}
