/** Values of a channel's fields on their way into the database and out: checked, secrets sealed, secrets never shown. */
import { isSealed, maskFields, openFields, sealFields, type Vault } from '../../access/vault.ts';
import type { ChannelDocument, FieldGroup } from '../../channel/document.ts';
import { compileFields, type FieldCheck } from '../../channel/values.ts';
import { Failure, type Problem } from '../../errors.ts';
import { isObject, own, pointerTo, setOwn } from '../../json.ts';

type Values = Readonly<Record<string, unknown>>;

/** One group of fields: its check, and the names of its fields and of the secret ones. */
export interface FieldGroupCheck {
  readonly check: FieldCheck['check'];
  readonly names: ReadonlySet<string>;
  readonly secret: ReadonlySet<string>;
}

/** The forms of channels; each is compiled once for each version. */
export type FieldGroupChecks = (channel: ChannelDocument, group: FieldGroup) => FieldGroupCheck;

export function createFieldGroupChecks(): FieldGroupChecks {
  const known = new WeakMap<ChannelDocument, Map<FieldGroup, FieldGroupCheck>>();
  return (channel, group) => {
    const forms = known.get(channel) ?? new Map<FieldGroup, FieldGroupCheck>();
    known.set(channel, forms);
    const form = forms.get(group) ?? formOf(channel, group);
    forms.set(group, form);
    return form;
  };
}

function formOf(channel: ChannelDocument, group: FieldGroup): FieldGroupCheck {
  const { fields, check } = compileFields(channel.fields[group], group);
  const secret = fields.filter((field) => field.secret === true);
  return Object.freeze({
    check,
    names: new Set(fields.map((field) => field.field)),
    secret: new Set(secret.map((field) => field.field)),
  });
}

/** What a write gives, what is stored, and where the values stand in the request. */
export interface FieldWrite {
  readonly given: Values;
  readonly stored: Values;
  /** ISO 8601. */
  readonly setAt: string;
  readonly pointer: string;
}

/**
 * The values to store. A secret that is left out, or comes as responses show it, stays as it is; null clears a value.
 * Throws VALUES_INVALID with every problem at its place.
 */
export function storeFields(vault: Vault, form: FieldGroupCheck, write: FieldWrite): Record<string, unknown> {
  const { given, pointer, setAt } = write;
  const sealedLook = Object.keys(given).find((name) => isSealed(given[name]));
  if (sealedLook !== undefined) {
    throw invalid([{ pointer: pointerTo(pointer, sealedLook), message: LOOKS_SEALED }]);
  }
  const { kept, set } = withKept(form, given, write.stored);
  const plain = { ...openFields(vault, kept).values, ...set };
  const { values, problems } = form.check(plain, 'saved');
  if (problems.length > 0) throw invalid(placed(problems, pointer));
  // What was sealed stays sealed as it was, with the time when it was set.
  const fresh = Object.fromEntries(Object.entries(values).filter(([name]) => !isSealed(own(kept, name))));
  const sealed = Object.entries(kept).filter(
    ([name, value]) => isSealed(value) && Object.hasOwn(values, name),
  );
  return { ...sealFields(vault, fresh, form.secret, setAt), ...Object.fromEntries(sealed) };
}

/** Secrets that stay as they are stored, and the values that are set; what is null is in neither. */
function withKept(
  form: FieldGroupCheck,
  given: Values,
  stored: Values,
): { kept: Record<string, unknown>; set: Record<string, unknown> } {
  const kept: Record<string, unknown> = {};
  const set: Record<string, unknown> = {};
  for (const name of form.secret) {
    const value = own(stored, name);
    if (value !== undefined && value !== null && isLeftOut(given, name)) setOwn(kept, name, value);
  }
  for (const [name, value] of Object.entries(given)) {
    if (value !== null && !(form.secret.has(name) && isLeftOut(given, name))) setOwn(set, name, value);
  }
  return { kept, set };
}

const LOOKS_SEALED =
  'An object with the member "$secret" is how a stored secret looks; give the value itself.';

/** True where a secret is not given, or given in the masked form of a response. */
function isLeftOut(given: Values, name: string): boolean {
  if (!Object.hasOwn(given, name)) return true;
  const value = given[name];
  return (
    isObject(value) &&
    value.set === true &&
    Object.keys(value).every((key) => key === 'set' || key === 'setAt')
  );
}

/** Stored values as people may see them; a field that became secret after its value was stored is masked too. */
export function showFields(stored: Values, secret: ReadonlySet<string> = new Set()): Record<string, unknown> {
  const shown = maskFields(stored);
  for (const name of secret) {
    const value = own(stored, name);
    if (value !== undefined && value !== null && !isSealed(value))
      setOwn(shown, name, { set: true, setAt: null });
  }
  return shown;
}

/** Problems of values, with pointers from the request on. */
export function placed(problems: readonly Problem[], pointer: string): Problem[] {
  return problems.map((problem) => ({ ...problem, pointer: `${pointer}${problem.pointer}` }));
}

/** The failure of values that do not fit their fields. */
export function invalid(problems: readonly Problem[]): Failure {
  return new Failure('VALUES_INVALID', `The values do not fit the channel: ${problems[0]?.message}`, {
    problems,
  });
}
