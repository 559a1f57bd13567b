/**
 * JsonQL, the query language of the selector (channel format, section 6.1), compiled to closures.
 *
 * From loose to tight: `||`, `&&`, one comparison (`= != > < >= <= ~= !~= is isnot contains`), `+ -`, `* / %`,
 * unary `-`, `^` (to the right), parentheses. Texts stand in single or double quotes; a backslash before the quote
 * makes it part of the text.
 *
 * Templates are values, never query text. Bare they keep their type, in quotes they are text. A missing value is an
 * error, except where `is` and `isnot` ask for it: `is defined` is false, `is null` is true, as for null itself. With `?`
 * a value may be missing: every comparison with it is false, and its negation (`!=`, `!~=`) true. A text that is one
 * template and nothing else is missing when its value is.
 *
 * `~=` matches anywhere in the text. The pattern is a text, in which values are matched literally, or a bare template,
 * whose value is the pattern. In a pattern `\$` stays a pattern for a dollar.
 */
import type { Failure } from '../errors.ts';
import {
  type Operand,
  type Place,
  sourceOperand,
  textOperand,
  textPattern,
  type Value,
  valuePattern,
} from './query-operands.ts';
import { syntax, type Token, tokenize } from './query-tokens.ts';
import { type Arithmetic, calculate, comparison, holds, matches } from './query-values.ts';
import type { Reference, Scope } from './scope.ts';

const MAX_LENGTH = 10_000;
const MAX_DEPTH = 100;

export interface Query {
  /** Throws TEMPLATE_VALUE_MISSING, QUERY_FAILED if it calculates with what is no number, REGEX_INVALID for a pattern that came as a value. */
  readonly test: (scope: Scope) => boolean;
  readonly references: readonly Reference[];
}

/** Compiles a query. Throws QUERY_SYNTAX with the column and what was expected, or REGEX_INVALID. */
export function compileQuery(text: string, pointer = ''): Query {
  if (text.length > MAX_LENGTH) {
    throw syntax(MAX_LENGTH + 1, `a query has at most ${MAX_LENGTH} characters; split it into branches.`);
  }
  const references: Reference[] = [];
  const { value } = parseQuery(tokenize(text), { pointer, references });
  return Object.freeze({ test: (scope: Scope) => holds(value(scope)), references });
}

const COMPARISONS = ['=', '!=', '>', '<', '>=', '<=', '~=', '!~=', 'is', 'isnot', 'contains'];
const SUMS = ['+', '-'];
const PRODUCTS = ['*', '/', '%'];

function parseQuery(tokens: readonly Token[], place: Place): Operand {
  let index = 0;
  let depth = 0;
  const peek = () => tokens[index] as Token;
  const take = (texts: readonly string[]): Token | undefined => {
    const token = peek();
    if ((token.kind !== 'operator' && token.kind !== 'word') || !texts.includes(token.text)) return undefined;
    index += 1;
    return token;
  };
  const deeper = (read: () => Operand): Operand => {
    depth += 1;
    if (depth > MAX_DEPTH) throw syntax(peek().column, `it is nested deeper than ${MAX_DEPTH} levels.`);
    const operand = read();
    depth -= 1;
    return operand;
  };

  const any = (): Operand => logical('||', all);
  const all = (): Operand => logical('&&', compared);
  const logical = (sign: string, next: () => Operand): Operand => {
    const start = peek();
    const first = next();
    if (peek().text !== sign || peek().kind !== 'operator') return first;
    const values = [conditionOf(first, start)];
    while (take([sign]) !== undefined) {
      const begin = peek();
      values.push(conditionOf(next(), begin));
    }
    const each = (scope: Scope) => (value: Value) => holds(value(scope));
    const value: Value =
      sign === '||' ? (scope) => values.some(each(scope)) : (scope) => values.every(each(scope));
    return { sort: 'condition', value };
  };

  const compared = (): Operand => {
    const left = sum();
    const sign = take(COMPARISONS)?.text;
    if (sign === undefined) return left;
    const value = comparedWith(sign, asksFor(sign) ? laxOf(left) : left.value);
    const chained = peek();
    if (take(COMPARISONS) === undefined) return { sort: 'condition', value };
    throw syntax(chained.column, 'comparisons cannot be chained; join two of them with "&&".');
  };
  const comparedWith = (sign: string, left: Value): Value => {
    if (sign === '~=' || sign === '!~=') {
      const token = peek();
      if (token.kind === 'text') index += 1;
      const pattern = token.kind === 'text' ? textPattern(token, place) : valuePattern(sum().value);
      const expected = sign === '~=';
      return (scope) => matches(left(scope), pattern(scope)) === expected;
    }
    if ((sign === 'is' || sign === 'isnot') && take(['defined']) !== undefined) {
      const expected = sign === 'is';
      return (scope) => (left(scope) !== undefined) === expected;
    }
    const test = comparison(sign);
    const operand = sum();
    const right = asksFor(sign) ? laxOf(operand) : operand.value;
    return (scope) => test(left(scope), right(scope));
  };

  const sum = (): Operand => chain(SUMS, product);
  const product = (): Operand => chain(PRODUCTS, negated);
  const chain = (signs: readonly string[], next: () => Operand): Operand => {
    const first = next();
    const rest: [Arithmetic, Operand][] = [];
    for (let sign = take(signs); sign !== undefined; sign = take(signs)) {
      rest.push([sign.text as Arithmetic, next()]);
    }
    if (rest.length === 0) return first;
    return calculated([first, ...rest.map(([, operand]) => operand)], ([start, ...values]) =>
      values.reduce((left, right, index) => calculate(rest[index]?.[0] ?? '+', left, right), start),
    );
  };
  const negated = (): Operand => {
    if (take(['-']) === undefined) return power();
    return calculated([deeper(negated)], ([value]) => calculate('*', -1, value));
  };
  const power = (): Operand => {
    const base = primary();
    if (take(['^']) === undefined) return base;
    return calculated([base, deeper(negated)], ([value, exponent]) => calculate('^', value, exponent));
  };

  const primary = (): Operand => {
    const token = peek();
    index += 1;
    if (token.kind === 'number') return { sort: 'plain', value: () => token.value };
    if (token.kind === 'text') return textOperand(token, place);
    if (token.kind === 'source') return sourceOperand(token.source, place);
    switch (token.text) {
      case 'true':
        return { sort: 'condition', value: () => true };
      case 'false':
        return { sort: 'condition', value: () => false };
      case 'null':
        return { sort: 'plain', value: () => null };
      case 'defined':
        throw syntax(token.column, '"defined" stands only after "is" or "isnot".');
      case '(':
        return deeper(parenthesized);
    }
    throw syntax(
      token.column,
      `a value is expected (a text in quotes, a number, true, false, null or a template), but ${shown(token)} stands here.`,
    );
  };
  const parenthesized = (): Operand => {
    const inner = any();
    if (take([')']) !== undefined) return inner;
    throw syntax(peek().column, `")" or an operator is expected, but ${shown(peek())} stands here.`);
  };

  const start = peek();
  const query = any();
  const rest = peek();
  if (rest.kind !== 'end') {
    throw syntax(rest.column, `an operator or the end is expected, but ${shown(rest)} stands here.`);
  }
  return { sort: 'condition', value: conditionOf(query, start) };
}

function laxOf({ lax, value }: Operand): Value {
  return lax ?? value;
}

/** What is calculated from operands; lax if they are. */
function calculated(operands: readonly Operand[], result: (values: readonly unknown[]) => unknown): Operand {
  const of =
    (values: readonly Value[]): Value =>
    (scope) =>
      result(values.map((value) => value(scope)));
  return { sort: 'plain', value: of(operands.map(({ value }) => value)), lax: of(operands.map(laxOf)) };
}

/** Whether a comparison asks whether there is a value, so that a missing one is an answer. */
function asksFor(sign: string): boolean {
  return sign === 'is' || sign === 'isnot';
}

function conditionOf(operand: Operand, start: Token): Value {
  if (operand.sort === 'plain') throw noCondition(start);
  return operand.value;
}

function noCondition(token: Token): Failure {
  return syntax(
    token.column,
    "a condition is expected, but this is only a value; compare it with something, for example $in.status = 'ok'.",
  );
}

function shown(token: Token): string {
  return token.kind === 'end' ? token.text : `"${token.text}"`;
}
