/** Secrets that stand in a document as text, instead of in a secret field of the sender. */
import { compileTemplate } from '../expression/template.ts';
import { isObject, pointerTo } from '../json.ts';
import type { Param } from '../pipes/params.ts';
import type { ExpressionProblem } from './expression-problem.ts';

/** Finds them in the value of a param: in all of it, or in those of its members that hold secrets. */
export function writtenSecrets(
  { secret, secretMembers }: Pick<Param, 'secret' | 'secretMembers'>,
  value: unknown,
  pointer: string,
): ExpressionProblem[] {
  if (secret) return writtenSecret(value, pointer);
  if (secretMembers === undefined || !isObject(value)) return [];
  return Object.keys(value)
    .filter((name) => secretMembers.has(name.toLowerCase()))
    .flatMap((name) => writtenSecret(value[name], pointerTo(pointer, name)));
}

/** A text that reads nothing is the secret itself. */
export function writtenSecret(value: unknown, pointer: string): ExpressionProblem[] {
  if (typeof value !== 'string' || value === '') return [];
  const { constant, problems } = compileTemplate(value);
  if (!constant || problems.length > 0) return [];
  const message =
    'The secret stands here as text, so anyone who may read the channel, its versions or its bundle reads it too. Declare a sender field with "secret": true and read it here, as $sender.token does.';
  return [{ code: 'secret-written', pointer, message }];
}
