/** What would become of the values of one form: a sender's, a resource's in one channel, or a template's. */
import { type ChannelDocument, type FieldGroup, fieldsOf } from '../../channel/document.ts';
import { compileFields } from '../../channel/values.ts';
import { isObject, type JsonObject, own, pointerTo, setOwn } from '../../json.ts';
import { type Difference, differences } from '../../testing/compare.ts';
import { planSecret } from './plan-secret.ts';
import { fillIn, isUnset, variablesIn } from './references.ts';
import type { Planning } from './step.ts';

export interface ValuesQuestion {
  /** How problems name the member: `Sender acme/main`. */
  readonly what: string;
  readonly document: ChannelDocument;
  readonly group: FieldGroup;
  readonly given: JsonObject;
  /** As the server shows them; undefined if there are none yet. */
  readonly held: JsonObject | undefined;
  /** A secret that is left out of a write stays as it is. */
  readonly keepsSecrets: boolean;
  /** Where the values stand in the member. */
  readonly pointer: string;
}

export interface PlannedValues {
  readonly differences: readonly Difference[];
  /** The values to write, references filled in. */
  readonly values: JsonObject;
}

/** Checks the values as the server will; what is wrong is added to the problems of the planning. */
export function planValues(question: ValuesQuestion, planning: Planning): PlannedValues {
  const { what, document, group, given, held = {}, keepsSecrets, pointer } = question;
  const { environment, problems } = planning;
  const form = compileFields(document.fields[group], group);
  const secret = new Set(
    fieldsOf(document.fields[group]).flatMap((f) => (f.secret === true ? [f.field] : [])),
  );
  const values: Record<string, JsonObject[string]> = {};
  const changed: Difference[] = [];
  for (const [name, written] of Object.entries(given)) {
    if (!secret.has(name)) {
      setOwn(values, name, fillIn(written, environment));
      continue;
    }
    const isSet = isMask(own(held, name));
    const place = { what, name, pointer: pointerTo(pointer, name), keepsSecrets };
    const planned = planSecret({ ...place, given: written, isSet }, planning);
    if (planned.value !== undefined) setOwn(values, name, planned.value);
    changed.push(...planned.differences);
  }
  const checked = form.check(values, 'saved');
  const unset = new Set(
    Object.entries(given).flatMap(([name, value]) =>
      variablesIn(value).some((variable) => isUnset(variable, environment)) ? [name] : [],
    ),
  );
  for (const problem of checked.problems) {
    const [, name = ''] = problem.pointer.split('/');
    // What is not known yet, and a secret that the server has already, cannot be judged here.
    const refused = secret.has(name) && Object.hasOwn(given, name) && !Object.hasOwn(values, name);
    const kept = keepsSecrets && isMask(own(held, name)) && own(given, name) !== null;
    if (!unset.has(name) && !refused && !kept) problems.push(`${what}: ${problem.message}`);
  }
  const plain = (all: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(all).filter(([name, value]) => !secret.has(name) && !isMask(value)));
  const shown = {
    ...checked.values,
    ...plain(Object.fromEntries([...unset].map((name) => [name, own(given, name)]))),
  };
  return { differences: [...differences(plain(shown), plain(held), pointer, true), ...changed], values };
}

/** How answers show a secret that is set. */
function isMask(value: unknown): boolean {
  return (
    isObject(value) &&
    value.set === true &&
    Object.keys(value).every((key) => key === 'set' || key === 'setAt')
  );
}
