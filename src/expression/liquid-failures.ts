/** The failures of the Liquid library as ours: full sentences with line and column. */
import { LiquidError } from 'liquidjs';
import { Failure } from '../errors.ts';
import { own } from '../json.ts';
import { missingOutput } from './liquid-engine.ts';
import { isExhausted } from './text.ts';

/** What the library threw while parsing. */
export function syntaxFailure(thrown: unknown): Failure {
  if (isExhausted(causeOf(thrown))) {
    return new Failure('LIQUID_SYNTAX', 'The tags of the Liquid text are nested too deeply; take it apart.', {
      cause: thrown,
    });
  }
  return thrown instanceof Failure ? thrown : located('LIQUID_SYNTAX', thrown);
}

/** What the library threw while rendering. */
export function renderFailure(thrown: unknown): Failure {
  const cause = causeOf(thrown);
  if (cause instanceof Failure && cause.code === 'EXPRESSION_LIMIT') return cause;
  if (cause instanceof Failure && cause.code === 'CONTENT_VARIABLE_MISSING') {
    return LiquidError.is(thrown) ? missingOutput(placeOf(thrown)) : cause;
  }
  if (isExhausted(cause)) {
    return new Failure(
      'EXPRESSION_LIMIT',
      'A value in the Liquid text is nested too deeply, or a text in it grows too long; take the part that is needed.',
      { cause: thrown },
    );
  }
  if (cause instanceof Error && cause.message.endsWith('limit exceeded')) {
    return new Failure(
      'EXPRESSION_LIMIT',
      'The Liquid text takes too much time or memory; shorten its loops, or its values.',
      { cause: thrown },
    );
  }
  return located('LIQUID_FAILED', thrown);
}

/** What was thrown inside the library, before it said where. */
function causeOf(thrown: unknown): unknown {
  return own(thrown, 'originalError') ?? thrown;
}

function located(code: 'LIQUID_SYNTAX' | 'LIQUID_FAILED', thrown: unknown): Failure {
  const cause = causeOf(thrown);
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = text.replace(/, (?:file:.*, )?line:\d+, col:\d+$/, '');
  if (!LiquidError.is(thrown))
    return new Failure(code, `The Liquid text: ${sentence(reason)}`, { cause: thrown });
  const [line, column] = thrown.token.getPosition();
  return new Failure(code, `Line ${line}, column ${column} of the Liquid text: ${sentence(reason)}`, {
    cause: thrown,
  });
}

/** "Line 1, column 4: {{ item.name }}" of an output. */
function placeOf({ token }: LiquidError): string {
  const [line, column] = token.getPosition();
  return `Line ${line}, column ${column}: ${token.getText()}`;
}

function sentence(reason: string): string {
  const advice = ADVICE.find(([pattern]) => pattern.test(reason))?.[1];
  const ended = /[.!?]$/.test(reason) ? reason : `${reason}.`;
  return advice === undefined ? ended : `${ended} ${advice}`;
}

/** What to do about the library's most frequent complaints. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^tag ".*" not found$/, 'Check its spelling; for plain text with these characters use {% raw %}.'],
  [/^undefined filter: /, 'Check its spelling.'],
  [/not closed$/, 'Close it, or write {% raw %} around text that only looks like Liquid.'],
];
