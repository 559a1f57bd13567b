/** The parts of a Liquid text that need no engine, with exactly the output the engine would give. */
import { type Template, TypeGuards, Value } from 'liquidjs';
import { missingOutput, outputWriter } from './liquid-engine.ts';

/** The values of a rendering, by namespace. */
export type Values = Readonly<Record<string, unknown>>;

/** A constant, or a function of the values. */
export type Piece = string | ((values: Values) => string);

/** Members that Liquid computes; a path with one of them is left to the engine. */
const COMPUTED = ['size', 'first', 'last'];

/** A piece that needs no engine: plain text, or an output that is a path and nothing more. */
export function plainPiece(template: Template, html: boolean, strict: boolean): Piece | undefined {
  const { token } = template;
  if (TypeGuards.isHTMLToken(token)) return token.getContent();
  const path = TypeGuards.isOutputToken(token) ? outputPath(template) : undefined;
  if (path === undefined) return undefined;
  const write = outputWriter(html);
  if (!strict) return (values) => write(readAsLiquid(values, path));
  const [line, column] = token.getPosition();
  const place = `Line ${line}, column ${column}: ${token.getText()}`;
  return (values) => {
    const value = readAsLiquid(values, path);
    if (value === undefined || value === null) throw missingOutput(place);
    return write(value);
  };
}

function outputPath(template: Template): readonly string[] | undefined {
  const [value] = [...(template.arguments?.() ?? [])];
  if (!(value instanceof Value) || value.filters.length !== 1 || value.filters[0]?.raw !== false)
    return undefined;
  const [access, ...more] = value.initial.postfix;
  if (more.length > 0 || !TypeGuards.isPropertyAccessToken(access) || access.variable !== undefined) {
    return undefined;
  }
  const names = access.props.map((prop) =>
    TypeGuards.isWordToken(prop) || TypeGuards.isQuotedToken(prop) ? prop.content : undefined,
  );
  const isPlain = (name: string | undefined): name is string =>
    name !== undefined && !COMPUTED.includes(name);
  return names.every(isPlain) ? names : undefined;
}

/** Reads own members as Liquid does, which also finds those of a text (`name.length`). */
export function readAsLiquid(values: Values, path: readonly string[]): unknown {
  let value: unknown = values;
  for (const name of path) {
    if (value === undefined || value === null) return undefined;
    const object: object = Object(value);
    value = Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined;
  }
  return value;
}
