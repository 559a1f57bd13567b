/** The failures of the JSONata library as ours: full sentences, and no value in them. */
import { Failure } from '../errors.ts';
import { isObject, own } from '../json.ts';
import { tooLong } from './jsonata-path.ts';
import { isExhausted, lineAndColumn } from './text.ts';

/** What the library threw while parsing. */
export function syntaxFailure(thrown: unknown, text: string): Failure {
  if (thrown instanceof Failure) return thrown;
  if (isExhausted(thrown)) {
    return new Failure('JSONATA_SYNTAX', 'The JSONata expression is nested too deeply; take it apart.', {
      cause: thrown,
    });
  }
  const position = own(thrown, 'position');
  const where = typeof position === 'number' ? lineAndColumn(text, Math.max(position - 1, 0)) : 'Somewhere';
  return new Failure(
    'JSONATA_SYNTAX',
    `${where} of the JSONata expression: ${sentence(own(thrown, 'message'))}`,
    { cause: thrown },
  );
}

/** What the library threw while evaluating. */
export function explainJsonata(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const code = own(thrown, 'code');
  if (code === 'D2014' || code === 'D2015') return tooLong();
  if (code === 'D1011' || isExhausted(thrown)) {
    return new Failure(
      'EXPRESSION_LIMIT',
      'The JSONata expression, or a value it works on, is nested too deeply; look for a function that calls itself forever.',
      { cause: thrown },
    );
  }
  if (code === 'D1012') {
    return new Failure('EXPRESSION_LIMIT', 'The JSONata expression takes too long; filter earlier.', {
      cause: thrown,
    });
  }
  return new Failure('JSONATA_FAILED', `The JSONata expression failed: ${sentence(withoutValues(thrown))}`);
}

/** The library writes the values it could not use into its messages; they may be secrets. */
function withoutValues(thrown: unknown): unknown {
  let message = own(thrown, 'message');
  if (typeof message !== 'string' || !isObject(thrown)) return message;
  for (const name of ['value', 'value2', 'exp']) {
    const value = own(thrown, name);
    const written = value === undefined ? undefined : JSON.stringify(value);
    if (written !== undefined && typeof message === 'string')
      message = message.replaceAll(written, '(a value)');
  }
  return message;
}

function sentence(message: unknown): string {
  const text = typeof message === 'string' && message !== '' ? message : 'it could not be understood';
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
