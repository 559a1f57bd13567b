/**
 * Content: the values of a channel's template fields, compiled once, rendered once per message before its pipeline
 * starts (channel format, section 5; content-and-modes, section 3).
 *
 * Liquid sees `customer` (the profile; `profile` is the same), `subscription`, `resource`, `campaign`, `offer`,
 * `attributes`, `computed`, and `now`. Values of secret fields are not among them: content is read by people.
 */
import { type ChannelDocument, type Field, type FieldGroup, fieldsOf } from '../../channel/document.ts';
import { compileFields, type FieldCheck, isLiquidField } from '../../channel/values.ts';
import { Failure, type Problem } from '../../errors.ts';
import { compileLiquidValue, type LiquidPiece, type PlacedVariable } from '../../expression/liquid-value.ts';
import { isObject, pointerTo, setOwn } from '../../json.ts';

type Values = Readonly<Record<string, unknown>>;

/** What a message's content is rendered with. */
export interface ContentScope {
  readonly profile?: unknown;
  readonly subscription?: unknown;
  readonly resource?: unknown;
  readonly campaign?: unknown;
  readonly offer?: unknown;
  readonly attributes?: unknown;
  readonly computed?: unknown;
  /** ISO 8601. */
  readonly now: string;
}

export interface RenderedContent {
  /** `$template`. */
  readonly values: Values;
  /** What does not fit its field after rendering; pointers into the values. */
  readonly problems: readonly Problem[];
}

export interface CompiledContent {
  /** Throws LIQUID_FAILED or EXPRESSION_LIMIT if a text cannot be rendered. */
  readonly render: (scope: ContentScope) => RenderedContent;
}

const PERSONAL: ReadonlySet<string> = new Set(['customer', 'profile', 'subscription']);

/**
 * Compiles the values of the template fields; defaults are filled in.
 * Throws LIQUID_SYNTAX, and in an indirect channel PERSONAL_DATA_REFUSED, naming the field.
 */
export function compileContent(channel: ChannelDocument, values: Values): CompiledContent {
  const template = checkOf(channel);
  const defaults = template.fields.flatMap((field) =>
    'default' in field ? [[field.field, field.default]] : [],
  );
  const complete = { ...Object.fromEntries(defaults), ...values };
  const { constants, varying } = compileFieldValues(channel, complete);
  const shown = openGroups(channel);
  const finish = (rendered: Values): RenderedContent => template.check(rendered, 'final');
  if (varying.length === 0) {
    const finished = finish(constants);
    return Object.freeze({ render: () => finished });
  }
  return Object.freeze({
    render: (scope: ContentScope) => {
      const liquid = shown(scope);
      const rendered: Record<string, unknown> = { ...constants };
      for (const { name, render } of varying) setOwn(rendered, name, render(liquid));
      return finish(rendered);
    },
  });
}

/** The values of fields: those that are the same for everyone, and those that are rendered for each. */
export interface FieldValues {
  readonly constants: Values;
  readonly varying: readonly { readonly name: string; readonly render: (liquid: Values) => unknown }[];
}

/** Compiles values of template fields as they stand, without defaults. Throws as `compileContent`. */
export function compileFieldValues(channel: ChannelDocument, values: Values): FieldValues {
  const fields = new Map(checkOf(channel).fields.map((field) => [field.field, field]));
  const pieces = Object.entries(values).map(([name, value]): [string, LiquidPiece] => {
    const field = fields.get(name);
    return [name, field === undefined ? { constant: value } : compileField(channel, field, value)];
  });
  return {
    constants: Object.fromEntries(
      pieces.flatMap(([name, piece]) => ('constant' in piece ? [[name, piece.constant]] : [])),
    ),
    varying: pieces.flatMap(([name, piece]) => ('render' in piece ? [{ name, ...piece }] : [])),
  };
}

/** By version of a channel, because patterns take long to compile. */
const checks = new WeakMap<ChannelDocument, FieldCheck>();

/** The check of a channel's template fields. */
export function checkOf(channel: ChannelDocument): FieldCheck {
  const known = checks.get(channel);
  if (known !== undefined) return known;
  const check = compileFields(channel.fields.template, 'template');
  checks.set(channel, check);
  return check;
}

function compileField(channel: ChannelDocument, field: Field, value: unknown): LiquidPiece {
  if (!isLiquidField(field)) return { constant: value };
  const { piece, variables } = compileLiquidValue(value, {
    kindOf: () => (field.type === 'html' ? 'html' : 'text'),
    pointer: pointerTo('', field.field),
    explain: (thrown, pointer) => inField(field, thrown, pointer),
  });
  refusePersonal(channel, variables, () => `Field "${field.field}"`);
  return piece;
}

/** Throws PERSONAL_DATA_REFUSED where content of an indirect channel reads what belongs to one person. */
export function refusePersonal(
  channel: ChannelDocument,
  variables: readonly PlacedVariable[],
  placeOf: (pointer: string) => string,
): void {
  if (channel.communication !== 'indirect') return;
  const personal = variables.find(({ variable }) => PERSONAL.has(variable.namespace));
  if (personal === undefined) return;
  const { pointer, variable } = personal;
  const message = `${placeOf(pointer)} uses {{ ${variable.text} }}, but channel "${channel.sid}" is not personalized: its content is the same for everyone. Remove it, or use a direct channel.`;
  throw new Failure('PERSONAL_DATA_REFUSED', message, { problems: [{ pointer, message }] });
}

/** Says which field a failure is about. */
function inField(field: Field, thrown: unknown, pointer: string): unknown {
  if (!(thrown instanceof Failure)) return thrown;
  const message = `Field "${field.field}": ${thrown.message}`;
  return new Failure(thrown.code, message, { problems: [{ pointer, message }], cause: thrown });
}

/** What Liquid sees of a scope, without the values of secret fields. */
export function openGroups(channel: ChannelDocument): (scope: ContentScope) => Values {
  const resource = withoutSecrets(channel, 'resource');
  const campaign = withoutSecrets(channel, 'mailing');
  const subscription = withoutSecrets(channel, 'subscription');
  const direct = channel.communication === 'direct';
  return (scope) => ({
    resource: resource(scope.resource),
    campaign: campaign(scope.campaign),
    offer: scope.offer,
    attributes: scope.attributes,
    computed: scope.computed,
    now: scope.now,
    customer: direct ? scope.profile : undefined,
    profile: direct ? scope.profile : undefined,
    subscription: direct ? subscription(scope.subscription) : undefined,
  });
}

function withoutSecrets(channel: ChannelDocument, group: FieldGroup): (values: unknown) => unknown {
  const secrets = new Set(
    fieldsOf(channel.fields[group])
      .filter((field) => field.secret === true)
      .map((field) => field.field),
  );
  if (secrets.size === 0) return (values) => values;
  return (values) =>
    isObject(values)
      ? Object.fromEntries(Object.entries(values).filter(([name]) => !secrets.has(name)))
      : values;
}
