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
  return composed(nodes, (values) => {
    const object: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index += 1) {
      const value = values[index];
      if (value !== undefined) setOwn(object, names[index] as string, value);
    }
    return object;
  });
}

function composed(nodes: readonly Node[], assemble: (values: readonly unknown[]) => unknown): Node {
  if (nodes.every((node) => node.constant)) {
    const value = assemble(nodes.map((node) => node.render({})));
    return constantNode(Object.freeze(value));
  }
  if (nodes.some((node) => node.async)) {
    return {
      render: async (scope) => assemble(await Promise.all(nodes.map((node) => node.render(scope)))),
      constant: false,
      async: true,
    };
  }
  return {
    render: (scope) => assemble(nodes.map((node) => node.render(scope))),
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
        return composed(
          value.map((each, index) => paramNode(items, each, pointerTo(pointer, index), building)),
          (values) => values.filter((each) => each !== undefined),
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
