/** Checks values against JSON Schemas and says what is wrong in sentences. The one place that knows ajv. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { isObject, type JsonObject, pointerTo } from '../json.ts';
import { didYouMean, listed, nearName } from '../near.ts';

/** One thing that does not fit a schema. */
export interface Misfit {
  readonly code: 'unknown-member' | 'member-missing' | 'wrong-type' | 'wrong-value' | 'wrong-format';
  readonly pointer: string;
  readonly of: 'value' | 'key';
  readonly message: string;
  readonly suggestion?: string;
}

export type Shape = (value: unknown) => readonly Misfit[];

/** Compiles a schema to a check. Costs milliseconds: once per schema, never per value. */
export function compileShape(schema: JsonObject): Shape {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    ownProperties: true,
    logger: false,
  });
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= ajv.compile(schema);
    return validate(value) ? [] : explain(validate.errors ?? []);
  };
}

/** Turns ajv's errors into sentences; of alternatives only the one that was meant is explained. */
function explain(errors: readonly ErrorObject[]): Misfit[] {
  const choices = errors.filter((error) => error.keyword === 'anyOf');
  const inside = (error: ErrorObject, choice: ErrorObject) =>
    error !== choice &&
    error.schemaPath.startsWith(`${choice.schemaPath}/`) &&
    (error.instancePath === choice.instancePath || error.instancePath.startsWith(`${choice.instancePath}/`));
  const outer = choices.filter((choice) => !choices.some((other) => inside(choice, other)));
  const plain = errors.filter(
    (error) => !outer.includes(error) && !outer.some((choice) => inside(error, choice)),
  );
  return [
    ...plain.map(sentence),
    ...outer.flatMap((choice) =>
      explainChoice(
        choice,
        errors.filter((error) => inside(error, choice)),
      ),
    ),
  ];
}

/** What shows at once that an alternative was not meant. */
const TELLING = new Set(['type', 'enum', 'const', 'required', 'pattern']);

function explainChoice(choice: ErrorObject, errors: readonly ErrorObject[]): Misfit[] {
  const branches = new Map<string, ErrorObject[]>();
  for (const error of errors) {
    const branch = error.schemaPath.slice(choice.schemaPath.length + 1).split('/')[0] ?? '';
    branches.set(branch, [...(branches.get(branch) ?? []), error]);
  }
  const meant = [...branches.values()]
    .filter(
      (each) =>
        !each.some((error) => error.instancePath === choice.instancePath && TELLING.has(error.keyword)),
    )
    .sort((left, right) => left.length - right.length)[0];
  if (meant !== undefined) return explain(meant);
  const forms: unknown[] = Array.isArray(choice.schema) ? choice.schema : [];
  const values = forms.flatMap((form) => (isObject(form) && Array.isArray(form.enum) ? form.enum : []));
  const suggestion = typeof choice.data === 'string' ? nearName(choice.data, values.map(String)) : undefined;
  return [
    misfit(
      values.length > 0 && typeof choice.data !== 'object' ? 'wrong-value' : 'wrong-type',
      choice,
      `${nameOf(choice)} must be ${forms.map(formName).join(', or ')}, but it is ${shown(choice.data)}.`,
      suggestion,
    ),
  ];
}

function sentence(error: ErrorObject): Misfit {
  const { keyword, data, params } = error;
  const name = nameOf(error);
  const what = descriptionOf(error);
  switch (keyword) {
    case 'additionalProperties': {
      const member = String(params.additionalProperty);
      const properties: unknown = error.parentSchema?.properties;
      const known = isObject(properties) ? Object.keys(properties) : [];
      const suggestion = nearName(member, known);
      return {
        ...misfit(
          'unknown-member',
          error,
          `"${member}" is not known here.`,
          suggestion,
          ` It takes: ${listed(known)}.`,
        ),
        pointer: pointerTo(error.instancePath, member),
        of: 'key',
      };
    }
    case 'required':
      return misfit('member-missing', error, `"${params.missingProperty}" is missing.${memberText(error)}`);
    case 'type':
      return misfit(
        'wrong-type',
        error,
        `${name} must be ${formName({ type: error.schema })}, but it is ${shown(data)}.${what}`,
      );
    case 'enum':
    case 'const': {
      const values = keyword === 'const' ? [params.allowedValue] : (params.allowedValues as unknown[]);
      const suggestion = typeof data === 'string' ? nearName(data, values.map(String)) : undefined;
      const message = `${name} must be ${formName({ enum: values })}, but it is ${shown(data)}.`;
      return misfit('wrong-value', error, message, suggestion);
    }
    case 'pattern':
      return misfit(
        'wrong-format',
        error,
        `${name} is ${shown(data)}, which does not have the right form.${what}`,
      );
    case 'minimum':
    case 'maximum':
      return misfit(
        'wrong-format',
        error,
        `${name} must be ${keyword === 'minimum' ? 'at least' : 'at most'} ${params.limit}, but it is ${shown(data)}.`,
      );
    case 'minLength':
    case 'maxLength':
      return misfit('wrong-format', error, `${name} must have ${bound(error)} characters.${what}`);
    case 'minItems':
    case 'maxItems':
      return misfit('wrong-format', error, `${name} must have ${bound(error)} elements.${what}`);
    case 'uniqueItems':
      return misfit('wrong-format', error, `${name} repeats an element; keep one of the two.`);
    default:
      return misfit('wrong-format', error, `${name} ${error.message ?? 'does not fit'}.${what}`);
  }
}

function bound(error: ErrorObject): string {
  return `${error.keyword.startsWith('min') ? 'at least' : 'at most'} ${error.params.limit}`;
}

function misfit(
  code: Misfit['code'],
  error: ErrorObject,
  message: string,
  suggestion?: string,
  otherwise = '',
): Misfit {
  return {
    code,
    pointer: error.instancePath,
    of: 'value',
    message: `${message}${suggestion === undefined ? otherwise : didYouMean(suggestion)}`,
    ...(suggestion !== undefined && { suggestion }),
  };
}

/** The member that the pointer ends with, as the subject of a sentence. */
function nameOf(error: ErrorObject): string {
  const last = error.instancePath.split('/').at(-1)?.replaceAll('~1', '/').replaceAll('~0', '~') ?? '';
  if (last === '') return 'This';
  return /^\d+$/.test(last) ? `Element ${Number(last) + 1}` : `"${last}"`;
}

function descriptionOf(error: ErrorObject): string {
  const description: unknown = error.parentSchema?.description;
  return typeof description === 'string' ? ` ${description}` : '';
}

function memberText(error: ErrorObject): string {
  const properties: unknown = error.parentSchema?.properties;
  const member = isObject(properties) ? properties[String(error.params.missingProperty)] : undefined;
  return isObject(member) && typeof member.description === 'string' ? ` ${member.description}` : '';
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  null: 'null',
};

/** What a schema accepts, in words. */
function formName(schema: unknown): string {
  if (!isObject(schema)) return 'something else';
  if (Array.isArray(schema.enum)) {
    return schema.enum.length === 1 ? JSON.stringify(schema.enum[0]) : `one of ${listed(schema.enum)}`;
  }
  if (schema.description === 'A template.') return 'a template';
  if (isObject(schema.properties) && Object.hasOwn(schema.properties, '$'))
    return 'a JSONata object { "$": "…" }';
  if (typeof schema.pattern === 'string' && typeof schema.description === 'string') return schema.description;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return types.map((type) => TYPE_NAMES[String(type)] ?? 'something else').join(' or ');
}

/** A value in a sentence, shortened. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (isObject(value)) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}
