/** Finds what a Liquid text reads from outside; names that the text sets itself are not reported. */
import {
  type PropertyAccessToken,
  type Template,
  type Token,
  TypeGuards,
  toValueSync,
  Value,
} from 'liquidjs';
import { Failure } from '../errors.ts';
import { lineAndColumn } from './text.ts';

/** A value that a text reads from outside, for instance `customer.name`. */
export interface LiquidVariable {
  readonly namespace: string;
  /** The members after it, up to the first that is known only when rendering. */
  readonly path: readonly string[];
  /** True where the path goes on with what is known only when rendering. */
  readonly dynamic: boolean;
  /** As the author wrote it. */
  readonly text: string;
}

/** The variables of a text, each once. Throws LIQUID_SYNTAX for one whose namespace is known only when rendering. */
export function variablesOf(templates: readonly Template[]): readonly LiquidVariable[] {
  const found = new Map<string, LiquidVariable>();
  const own = new Set<string>();
  const visit = (template: Template, names: readonly Set<string>[]): void => {
    for (const argument of template.arguments?.() ?? []) {
      for (const access of accessesIn(argument)) {
        const variable = describe(access);
        if (variable === undefined || names.some((scope) => scope.has(variable.namespace))) continue;
        found.set(variable.text, variable);
      }
    }
    for (const name of template.localScope?.() ?? []) own.add(name.content);
    if (template.children === undefined) return;
    const inside = [...names, new Set(template.blockScope?.() ?? [])];
    const children: Template[] = toValueSync(template.children(false, true));
    for (const child of children) visit(child, inside);
  };
  for (const template of templates) visit(template, [own]);
  return [...found.values()];
}

function* accessesIn(argument: unknown): Generator<PropertyAccessToken> {
  if (argument instanceof Value || TypeGuards.isFilteredValueToken(argument)) {
    for (const token of argument.initial.postfix) yield* accessesIn(token);
    for (const filter of argument.filters) {
      for (const each of filter.args) yield* accessesIn(Array.isArray(each) ? each[1] : each);
    }
  } else if (TypeGuards.isRangeToken(argument)) {
    yield* accessesIn(argument.lhs);
    yield* accessesIn(argument.rhs);
  } else if (TypeGuards.isPropertyAccessToken(argument)) {
    yield* accessesIn(argument.variable);
    for (const step of argument.props) yield* accessesIn(step);
    yield argument;
  }
}

function describe(access: PropertyAccessToken): LiquidVariable | undefined {
  // A literal or a range, of which a member is read.
  if (access.variable !== undefined) return undefined;
  const [namespace, ...rest] = access.props.map(nameOf);
  if (namespace === undefined) {
    throw new Failure(
      'LIQUID_SYNTAX',
      `${lineAndColumn(access.input, access.begin)} of the Liquid text: ${access.getText()} must start with a name, so that it can be checked; write customer[key] instead of [key].`,
    );
  }
  const dynamic = rest.indexOf(undefined);
  const path = (dynamic < 0 ? rest : rest.slice(0, dynamic)).filter((name) => name !== undefined);
  return Object.freeze({ namespace, path, dynamic: dynamic >= 0, text: access.getText() });
}

function nameOf(step: Token): string | undefined {
  const isName =
    TypeGuards.isWordToken(step) || TypeGuards.isQuotedToken(step) || TypeGuards.isNumberToken(step);
  return isName ? String(step.content) : undefined;
}
