/** The page of all pipes, from their own declarations. */
import { FAILURES } from '../errors.ts';
import { own } from '../json.ts';
import { pipes } from '../pipes/catalog.ts';
import type { Pipe } from '../pipes/contract.ts';
import type { Param, Params } from '../pipes/params.ts';
import type { PipeExample } from '../pipes/pipe-example.ts';
import { showValue } from '../testing/shown-request.ts';
import { code, jsonBlock, page, table } from './markdown.ts';

/** Writes the page. */
export function pipesPage(): string {
  const list = pipes.map((pipe) => `- [${code(pipe.type)}](#${pipe.type}): ${pipe.summary}`).join('\n');
  return page('Pipes', [
    'A pipe takes what came from the one before it as `$in`, does one thing, and adds to it. ' +
      'Params marked **t** take templates. Every pipe may fail with `TEMPLATE_VALUE_MISSING`. Each example below is run by the tests.',
    list,
    ...pipes.flatMap(sectionOf),
  ]);
}

function sectionOf(pipe: Pipe): string[] {
  const rows = rowsOf(pipe.params, '');
  const aliases = (pipe.aliases ?? []).map(code).join(', ');
  return [
    `## ${pipe.type}`,
    pipe.summary,
    ...(aliases === '' ? [] : [`Older names, accepted with a warning: ${aliases}.`]),
    rows.length === 0 ? 'It takes no params.' : table(['param', 'type', 'default', 'meaning'], rows),
    `Exits: ${exitsOf(pipe)}.`,
    addsOf(pipe),
    ...(pipe.errors.length === 0
      ? []
      : [`Errors:\n\n${pipe.errors.map((each) => `- ${code(each)}: ${titleOf(each)}`).join('\n')}`]),
    '### Examples',
    ...pipe.examples.flatMap(exampleOf),
  ];
}

function rowsOf(params: Params, prefix: string): string[][] {
  return Object.entries(params).flatMap(([name, param]) => {
    const row = [
      code(prefix + name),
      `${typeOf(param)}${param.templates ? ' **t**' : ''}`,
      param.presence === 'required' ? 'required' : param.presence === 'defaulted' ? code(param.default) : '',
      param.description,
    ];
    const inner = param.kind === 'array' ? param.items : param;
    const place = `${prefix}${name}${param.kind === 'array' ? '[]' : ''}.`;
    return [row, ...(inner?.kind === 'object' ? rowsOf(inner.members ?? {}, place) : [])];
  });
}

const TYPES: Readonly<Record<Param['kind'], string>> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  enum: 'one of',
  any: 'any value',
  array: 'list',
  map: 'object',
  object: 'object',
  query: 'selector query',
  jsonata: 'JSONata',
  sql: 'SQL',
  exit: 'pipe id',
  entry: 'pipe id of the Schedule pipeline',
};

function typeOf(param: Param): string {
  const type = TYPES[param.kind];
  if (param.kind === 'enum') return (param.values ?? []).map(code).join(', ');
  if (param.kind === 'array' && param.items !== undefined) return `list of ${typeOf(param.items)}`;
  return type;
}

function exitsOf(pipe: Pipe): string {
  const further = exitParams(pipe.params, '').map((name) => `the pipe in ${code(name)}`);
  return [...(pipe.ends === true ? [] : ['`success`']), '`error`', ...further].join(', ');
}

function exitParams(params: Params, prefix: string): string[] {
  return Object.entries(params).flatMap(([name, param]) => {
    if (param.kind === 'exit') return [prefix + name];
    if (param.kind === 'object') return exitParams(param.members ?? {}, `${prefix}${name}.`);
    if (param.kind === 'array') return exitParams(param.items?.members ?? {}, `${prefix}${name}[].`);
    return [];
  });
}

/** What it adds depends on its params, so it is shown for those of the first example. */
function addsOf(pipe: Pipe): string {
  const adds = Object.entries(pipe.adds(pipe.examples[0]?.params ?? {}));
  if (adds.length === 0) return 'It adds nothing to `$in`.';
  const shapes = adds.map(([name, shape]) => `${code(`$in.${name}`)} (${shape})`).join(', ');
  return `Adds, in the first example: ${shapes}.`;
}

function titleOf(failure: string): string {
  return String(own(own(FAILURES, failure), 'title') ?? '');
}

function exampleOf({ name, ...example }: PipeExample): string[] {
  return [`${name.charAt(0).toUpperCase()}${name.slice(1)}:`, jsonBlock(showValue(example))];
}
