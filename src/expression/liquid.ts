/**
 * Liquid, the language of content, compiled once per text and rendered synchronously within limits.
 *
 * A missing value renders as nothing. An object renders as its JSON; numbers, dates and bytes as in templates. In html
 * every output is escaped unless its last filter is `raw`; what a capture collected is html already, and is output with
 * `raw`. `'now' | date` is `now` of the values. Plain texts and plain `{{ a.b }}` are recognised and need no engine.
 */
import { type Liquid, Parser, type Template, Tokenizer } from 'liquidjs';
import { Failure } from '../errors.ts';
import { createEngine, limitedEmitter, MAX_LENGTH } from './liquid-engine.ts';
import { renderFailure, syntaxFailure } from './liquid-failures.ts';
import { type Piece, plainPiece, type Values } from './liquid-plain.ts';
import { type LiquidVariable, variablesOf } from './liquid-variables.ts';

export type { LiquidVariable } from './liquid-variables.ts';

/** What content may read; `now` is the time of the run. */
export const CONTENT_NAMES: readonly string[] = Object.freeze([
  'customer',
  'profile',
  'subscription',
  'resource',
  'campaign',
  'offer',
  'attributes',
  'computed',
  'now',
]);

export interface LiquidText {
  /** True where rendering gives the same text each time. */
  readonly constant: boolean;
  /**
   * Renders the text with `values` by namespace (`customer`, `offer`, and `now`, the ISO time of the run). Throws
   * LIQUID_FAILED, EXPRESSION_LIMIT, and where it is strict CONTENT_VARIABLE_MISSING.
   */
  readonly render: (values: Values) => string;
  readonly variables: readonly LiquidVariable[];
}

export interface LiquidOptions {
  /** Outputs are escaped. */
  readonly html: boolean;
  /** An output without a value is no empty text, but throws CONTENT_VARIABLE_MISSING. */
  readonly strict?: boolean;
}

/** Compiles a text. Throws LIQUID_SYNTAX with line and column. */
export function compileLiquid(text: string, { html, strict = false }: LiquidOptions): LiquidText {
  if (!text.includes('{{') && !text.includes('{%')) return constantText(text);
  if (text.length > MAX_LENGTH) {
    throw new Failure(
      'LIQUID_SYNTAX',
      `The Liquid text has ${text.length} characters; at most ${MAX_LENGTH} are allowed.`,
    );
  }
  const { liquid, templates, variables } = parse(text, html, strict);
  const pieces = templates.map((template) => plainPiece(template, html, strict));
  if (pieces.every((piece) => typeof piece === 'string')) return constantText(pieces.join(''));
  return Object.freeze({
    constant: false,
    variables,
    render: pieces.every((piece) => piece !== undefined)
      ? (values: Values) => renderPieces(pieces, values)
      : (values: Values) => renderFully(liquid, templates, values),
  });
}

function constantText(text: string): LiquidText {
  return Object.freeze({ constant: true, variables: [], render: () => text });
}

const engines = new Map<string, Liquid>();

function engineFor(html: boolean, strict: boolean): Liquid {
  const key = `${html}/${strict}`;
  const liquid = engines.get(key) ?? createEngine(html, strict);
  engines.set(key, liquid);
  return liquid;
}

function parse(text: string, html: boolean, strict: boolean) {
  const liquid = engineFor(html, strict);
  try {
    const tokens = new Tokenizer(text, liquid.options.operators).readTopLevelTokens(liquid.options);
    // The parser takes its tokens from the front, which costs their number each time; from the end it costs nothing.
    const queue = tokens.toReversed();
    queue.shift = queue.pop;
    const templates = new Parser(liquid).parseTokens(queue);
    return { liquid, templates, variables: variablesOf(templates) };
  } catch (thrown) {
    throw syntaxFailure(thrown);
  }
}

function renderFully(liquid: Liquid, templates: Template[], values: Values): string {
  try {
    // A copy, because the tags increment and decrement write into it.
    return String(liquid.renderSync(templates, { ...values }));
  } catch (thrown) {
    throw renderFailure(thrown);
  }
}

function renderPieces(pieces: readonly Piece[], values: Values): string {
  // Pieces are texts already.
  const emitter = limitedEmitter(false);
  try {
    for (const piece of pieces) emitter.write(typeof piece === 'string' ? piece : piece(values));
  } catch (thrown) {
    throw renderFailure(thrown);
  }
  return emitter.buffer;
}
