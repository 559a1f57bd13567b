/** What would become of one secret: written where it is not set yet, and again only where that is asked for. */
import type { Json } from '../../json.ts';
import type { Difference } from '../../testing/compare.ts';
import { fillIn, variableOf } from './references.ts';
import { type Planning, SECRET } from './step.ts';

export interface SecretQuestion {
  /** How problems name the member: `Sender acme/main`. */
  readonly what: string;
  readonly name: string;
  /** Where the secret stands in the member. */
  readonly pointer: string;
  /** A reference, or null to clear it; undefined says nothing about it. */
  readonly given: Json | undefined;
  /** The server has one. */
  readonly isSet: boolean;
  /** A secret that is left out of a write stays as it is. */
  readonly keepsSecrets: boolean;
}

export interface PlannedSecret {
  readonly differences: readonly Difference[];
  /** What to write; undefined if it is left out. */
  readonly value: Json | undefined;
}

/** Refuses a secret that stands in the open, without showing it. */
export function planSecret(question: SecretQuestion, planning: Planning): PlannedSecret {
  const { what, name, pointer, given, isSet, keepsSecrets } = question;
  if (given === undefined) return { differences: [], value: undefined };
  if (given !== null && variableOf(given) === undefined) {
    planning.problems.push(
      `${what}: "${name}" is a secret, so it stands as a reference to the environment: { "$ref": "env:NAME" }.`,
    );
    return { differences: [], value: undefined };
  }
  const stays = given !== null && isSet && !planning.secrets;
  const value = stays && keepsSecrets ? undefined : fillIn(given, planning.environment);
  if (stays || (given === null && !isSet)) return { differences: [], value };
  const [expected, actual] = [given === null ? undefined : SECRET, isSet ? SECRET : undefined];
  return { differences: [{ pointer, expected, actual }], value };
}
