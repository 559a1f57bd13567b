/** Checks a body, or a part of one, against its schema. */
import { Failure } from '../errors.ts';
import type { Validator } from '../validate.ts';

/** Throws REQUEST_INVALID with every problem and its pointer. */
export function checkRequest(validator: Validator, body: unknown): void {
  const problems = validator.check(body);
  const [first] = problems;
  if (first === undefined) return;
  throw new Failure('REQUEST_INVALID', `The request breaks a rule at ${first.pointer || '/'}: ${first.message}`, {
    problems,
  });
}
