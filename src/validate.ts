/** JSON Schema validation (2020-12): compiled at start, with sentences for people. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Problem } from './errors.ts';
import { own, pointerTo } from './json.ts';
import { nearName } from './near.ts';
import type { Schema, Static } from './schema.ts';
import { isKeepable } from './time.ts';

const DATE_TIME = formats.default.get('date-time', 'full') as {
  readonly validate: (text: string) => boolean;
};

/** What a check says of a value: that it has the type, or every problem. */
export type Checked<T> =
  | { readonly fits: true; readonly value: T }
  | { readonly fits: false; readonly problems: readonly [Problem, ...Problem[]] };

export interface Validator<T = unknown> {
  /**
   * Checks a value and fills defaults in, with `coerce` also reads numbers and booleans from strings, both in place.
   * Pointers of problems begin with `prefix`.
   */
  readonly read: (value: unknown, prefix?: string) => Checked<T>;
  /** The problems that `read` finds. */
  readonly check: (value: unknown, prefix?: string) => readonly Problem[];
}

/** One for each way to read values: an instance compiles the schema of schemas, which takes longer than most schemas. */
const compilers = new Map<boolean, Ajv2020>();

function compilerFor(coerce: boolean): Ajv2020 {
  const known = compilers.get(coerce);
  if (known !== undefined) return known;
  const made = new Ajv2020({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    useDefaults: true,
    coerceTypes: coerce,
    verbose: true,
  });
  formats.default(made, ['uuid', 'uri', 'email']);
  made.addFormat('date-time', (text) => DATE_TIME.validate(text) && isKeepable(Date.parse(text)));
  compilers.set(coerce, made);
  return made;
}

/** Compiles a schema; costs milliseconds, so never per request. */
export function compileSchema<S extends Schema>(
  schema: S,
  options: { readonly coerce?: boolean } = {},
): Validator<Static<S>> {
  const compiler = compilerFor(options.coerce === true);
  const validate = compiler.compile<Static<S>>(schema);
  // The caller holds the validator; the compiler need not, and the next schema may have the same name.
  compiler.removeSchema(schema);
  const read = (value: unknown, prefix = ''): Checked<Static<S>> => {
    if (validate(value)) return { fits: true, value };
    const errors = validate.errors ?? [];
    const [first, ...others] = errors.filter(isTelling).map((error) => problemOf(error, prefix));
    if (first === undefined) throw new TypeError('A schema refuses a value and does not say why.');
    return { fits: false, problems: [first, ...others] };
  };
  return Object.freeze({
    read,
    check: (value: unknown, prefix?: string) => {
      const checked = read(value, prefix);
      return checked.fits ? [] : checked.problems;
    },
  });
}

/** What only says that one of several forms did not fit is left out when its forms say more. */
function isTelling(error: ErrorObject): boolean {
  return error.keyword !== 'if';
}

function problemOf(error: ErrorObject, prefix: string): Problem {
  const at = `${prefix}${error.instancePath}`;
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params.additionalProperty);
      return {
        pointer: pointerTo(at, name),
        message: `"${name}" is not known here.${suggestion(name, error)}`,
      };
    }
    case 'required': {
      const name = String(params.missingProperty);
      return { pointer: pointerTo(at, name), message: `"${name}" is required.` };
    }
    case 'enum': {
      const allowed = params.allowedValues as unknown[];
      return {
        pointer: at,
        message: `Must be one of: ${allowed.map((each) => JSON.stringify(each)).join(', ')}.`,
      };
    }
    case 'const':
      return { pointer: at, message: `Must be ${JSON.stringify(params.allowedValue)}.` };
    case 'type':
      return { pointer: at, message: `Must be of type ${String(params.type)}.` };
    case 'pattern':
      return { pointer: at, message: wrongForm(String(params.pattern), error) };
    case 'format':
      return { pointer: at, message: `Must be a valid ${String(params.format)}.` };
    default:
      return { pointer: at, message: `${sentence(error.message ?? 'is not valid')}.` };
  }
}

/** A pattern says little to people; what it is for, or an example of it, says more. */
function wrongForm(pattern: string, error: ErrorObject): string {
  if (pattern === '\\S') return 'Must not be blank.';
  const examples = own(error.parentSchema, 'examples');
  return Array.isArray(examples) && examples.length > 0
    ? `Does not have the right form, which is for example ${JSON.stringify(examples[0])}.`
    : `Does not have the right form (${pattern}).`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function suggestion(name: string, error: ErrorObject): string {
  const known = Object.keys((own(error.parentSchema, 'properties') as object | undefined) ?? {});
  const near = nearName(name, known);
  return near === undefined
    ? known.length > 0
      ? ` Known are: ${known.join(', ')}.`
      : ''
    : ` Did you mean "${near}"?`;
}
