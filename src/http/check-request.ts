/** Checks a body, or a part of one: against its schema, and for what no database takes. */
import { unstorable } from '../channel/unstorable.ts';
import { Failure } from '../errors.ts';
import type { Validator } from '../validate.ts';

/** Throws REQUEST_INVALID with every problem and its pointer. */
export function checkRequest(validator: Validator, body: unknown): void {
  const problems = validator.check(body);
  const [first] = problems;
  if (first === undefined) return;
  throw new Failure(
    'REQUEST_INVALID',
    `The request breaks a rule at ${first.pointer || '/'}: ${first.message}`,
    {
      problems,
    },
  );
}

/** Throws REQUEST_INVALID if a text holds NUL or half a character, or where values are nested too deep. */
export function rejectUnstorable(body: unknown): void {
  const wrong = unstorable(body);
  if (wrong === undefined) return;
  const pointer = wrong.pointer ?? '';
  const message = `The value at ${pointer || '/'} ${wrong.message}.`;
  throw new Failure('REQUEST_INVALID', message, { problems: [{ pointer, message }] });
}

/** Throws IMMUTABLE if a change names another value for what never changes after creation. */
export function refuseChange(member: string, given: string | undefined, stored: string | undefined): void {
  if (given === undefined || given === stored) return;
  const message = `"${member}" never changes after creation; it is "${stored}". Leave it out, or create a new one.`;
  throw new Failure('IMMUTABLE', message, { problems: [{ pointer: `/${member}`, message }] });
}
