/**
 * JSONata expressions, parsed once and evaluated with limits.
 *
 * The keywords of the scope are variables (`$in`, `$origin`, `$now`, `$error`); the context (`$`, `$$`) is the scope
 * itself, so that `in.a` reads as `$in.a`. `$now` is the ISO time of the run, and `$now()`, `$millis()` and `$toMillis`
 * take the same time, so that a run can be repeated. `$error` is the failure, `$error('…')` still raises one.
 * Bytes are seen as their UTF-8 text, dates as their ISO text. `$eval` is refused. Regular expressions are RE2's.
 */
import jsonata from 'jsonata';
import { Failure } from '../errors.ts';
import { didYouMean, nearName } from '../near.ts';
import { explainJsonata, syntaxFailure } from './jsonata-failures.ts';
import { NOW, registerFunction } from './jsonata-functions.ts';
import { MAX_SEQUENCE, MAX_SORTED, plainForm, readAsJsonata } from './jsonata-path.ts';
import { regexEngine } from './jsonata-regex.ts';
import { explore, type Findings } from './jsonata-tree.ts';
import { costOf, plainResult, readable } from './jsonata-values.ts';
import { isKeyword, KEYWORDS, type Reference, type Scope } from './scope.ts';

const MAX_LENGTH = 10_000;
/** Evaluated nodes, large values counting more: what an expression may cost whatever else the process is doing. */
const MAX_STEPS = 500_000;
/** Nodes within nodes, function calls included. */
const MAX_STACK = 1_000;
/** For what is not counted in steps. Wide, because evaluations that run together share the clock. */
const TIMEOUT_MS = 10_000;

type Extra = Readonly<Record<string, unknown>>;

export interface Expression {
  /** True where `evaluate` may give a promise. */
  readonly async: boolean;
  readonly references: readonly Reference[];
  /**
   * The result as plain JSON, or a promise of it; undefined is "no value". `extra` adds variables, which go before
   * keywords. Throws or rejects with Failure JSONATA_FAILED or EXPRESSION_LIMIT.
   */
  readonly evaluate: (scope: Scope, extra?: Extra) => unknown;
}

/** Compiles an expression. Throws JSONATA_SYNTAX with line and column, or REGEX_INVALID. */
export function compileJsonata(text: string, pointer = ''): Expression {
  const { expression, findings, plain } = parse(text, pointer);
  const { references } = findings;
  if (plain !== undefined && 'constant' in plain) {
    return Object.freeze({ async: false, references, evaluate: () => plain.constant });
  }
  const evaluateFully = evaluator(expression, findings);
  if (plain === undefined) return Object.freeze({ async: true, references, evaluate: evaluateFully });
  const { variable, names } = plain;
  const keyword = isKeyword(variable) ? variable : undefined;
  return Object.freeze({
    async: keyword === undefined,
    references,
    evaluate: (scope: Scope, extra?: Extra) => {
      const isExtra = extra !== undefined && Object.hasOwn(extra, variable);
      if (keyword === undefined && !isExtra) return evaluateFully(scope, extra);
      const root = isExtra ? extra[variable] : keyword === undefined ? undefined : scope[keyword];
      return explained(() => readable(readAsJsonata(root, names)));
    },
  });
}

export interface Formula {
  /** The names among the given ones that it reads. */
  readonly reads: ReadonlySet<string>;
  /** As `evaluate` of an expression, over values by name. */
  readonly evaluate: (values: Extra, now: string) => Promise<unknown>;
}

/**
 * Compiles an expression over values of these names alone, as variables (`$customer.age`) and as members of the context
 * (`customer.age`). Throws JSONATA_SYNTAX, also where it reads anything else, which would never be there, or REGEX_INVALID.
 */
export function compileFormula(text: string, names: readonly string[]): Formula {
  const { expression, findings } = parse(text, '');
  const foreign =
    findings.references.find(({ keyword }) => keyword !== 'now' && keyword !== 'error')?.text ??
    [...findings.members].find((member) => !names.includes(member));
  if (foreign !== undefined) {
    const near = didYouMean(nearName(foreign, names)) || ` It sees ${names.join(', ')}.`;
    throw new Failure('JSONATA_SYNTAX', `The formula reads "${foreign}", which it does not see.${near}`);
  }
  const evaluate = evaluator(expression, findings);
  const isRead = (name: string) => findings.variables.has(name) || findings.members.has(name);
  // "$" and "$$" are all of them.
  const whole = findings.variables.has('') || findings.variables.has('$');
  return Object.freeze({
    reads: new Set(names.filter((name) => whole || isRead(name))),
    evaluate: (values: Extra, now: string) => evaluate({ now }, values, values),
  });
}

function parse(text: string, pointer: string) {
  if (text.length > MAX_LENGTH) {
    throw new Failure(
      'JSONATA_SYNTAX',
      `The JSONata expression has ${text.length} characters; at most ${MAX_LENGTH} are allowed.`,
    );
  }
  const regexes: Findings['regexes'] = new Map();
  try {
    const options = {
      timeout: TIMEOUT_MS,
      stack: MAX_STACK,
      sequence: MAX_SEQUENCE,
      RegexEngine: regexEngine(regexes),
    };
    const expression = jsonata(text, options);
    const tree: unknown = expression.ast();
    const plain = plainForm(tree);
    const findings = explore(tree, pointer);
    // The library reads its options again at each evaluation.
    if (findings.sorts) options.sequence = MAX_SORTED;
    for (const [native, regex] of findings.regexes) regexes.set(native, regex);
    return { expression, findings, plain };
  } catch (thrown) {
    throw syntaxFailure(thrown, text);
  }
}

const EXIT = Symbol.for('jsonata.__evaluate_exit');

function evaluator(expression: jsonata.Expression, findings: Findings) {
  const { variables, functions, writes } = findings;
  for (const name of functions) registerFunction(expression, name);
  // The library calls this after every node, and looks it up by symbol, which its types do not know.
  Reflect.apply(expression.assign, expression, [EXIT, guard]);
  return async (scope: Scope, extra: Extra = {}, context?: Extra): Promise<unknown> => {
    try {
      const read = reader(scope, writes);
      const bindings: Record<string, unknown> = { [NOW]: scope.now };
      for (const name of variables) {
        if (Object.hasOwn(extra, name)) bindings[name] = readable(extra[name], writes);
        else if (isKeyword(name)) bindings[name] = read(name);
      }
      const root = context === undefined ? rootOf(scope, read) : readable(context, writes);
      return plainResult(await expression.evaluate(root, bindings));
    } catch (thrown) {
      throw explainJsonata(thrown);
    }
  };
}

/** Reads keywords as expressions see them, each at most once. */
function reader(scope: Scope, copy: boolean): (name: keyof Scope) => unknown {
  const kept = new Map<string, unknown>();
  return (name) => {
    if (!kept.has(name)) kept.set(name, readable(scope[name], copy));
    return kept.get(name);
  };
}

/** The scope as the context of an expression; its members are made when they are read. */
function rootOf(scope: Scope, read: (name: keyof Scope) => unknown): object {
  const root = {};
  for (const name of KEYWORDS) {
    if (scope[name] !== undefined) {
      Object.defineProperty(root, name, { enumerable: true, get: () => read(name) });
    }
  }
  return root;
}

interface Frame {
  readonly base: { steps?: number };
}

function guard(_node: unknown, _input: unknown, { base }: Frame, result: unknown): void {
  base.steps = (base.steps ?? 0) + costOf(result);
  if (base.steps > MAX_STEPS) {
    throw new Failure(
      'EXPRESSION_LIMIT',
      `The JSONata expression takes more than ${MAX_STEPS} steps; look for a function that never ends, or filter earlier.`,
    );
  }
}

function explained(evaluate: () => unknown): unknown {
  try {
    return evaluate();
  } catch (thrown) {
    throw explainJsonata(thrown);
  }
}
