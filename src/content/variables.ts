/** The names of what content reads: `customer.first_name`, in the form in which texts, entries and values meet. */
import { Failure } from '../errors.ts';
import { compileLiquid, type LiquidVariable } from '../expression/liquid.ts';

/** What content may read, besides `now`; `profile` is another word for `customer`. */
export const NAMESPACES = ['customer', 'offer', 'attributes', 'computed'] as const;

export interface Variable {
  /** As people read it: `customer.first_name`. */
  readonly name: string;
  readonly namespace: string;
  /** The members after the namespace. */
  readonly path: readonly string[];
}

/** Members that Liquid works out of lists and texts. */
const WORKED_OUT: ReadonlySet<string> = new Set(['size', 'first', 'last']);

/** The same text for the same variable, however it is written. */
export function keyOf({ namespace, path }: { namespace: string; path: readonly string[] }): string {
  return JSON.stringify([namespace === 'profile' ? 'customer' : namespace, ...path]);
}

/** The keys of the entries that would answer for a variable: its own, and that of the list or text it is worked out of. */
export function answeringKeys({ namespace, path }: LiquidVariable): readonly string[] {
  const own = keyOf({ namespace, path });
  return path.length > 1 && WORKED_OUT.has(path.at(-1) ?? '')
    ? [own, keyOf({ namespace, path: path.slice(0, -1) })]
    : [own];
}

/** Reads the name of a variable as a text would. Throws REQUEST_INVALID if it is none. */
export function readVariable(name: string): Variable {
  const found = variableIn(name);
  if (found === undefined) {
    throw new Failure(
      'REQUEST_INVALID',
      `"${name}" is not the name of a variable; write a namespace and a member, as in customer.first_name.`,
    );
  }
  const namespace = found.namespace === 'profile' ? 'customer' : found.namespace;
  if (!isNamespace(namespace)) {
    throw new Failure(
      'REQUEST_INVALID',
      `"${name}" does not begin with a namespace; there are ${NAMESPACES.join(', ')}.`,
    );
  }
  return Object.freeze({ name: name.trim(), namespace, path: found.path });
}

/** True for the name of a namespace. */
export function isNamespace(name: string): boolean {
  return (NAMESPACES as readonly string[]).includes(name);
}

function variableIn(name: string): LiquidVariable | undefined {
  try {
    const [found, ...more] = compileLiquid(`{{${name}}}`, { html: false }).variables;
    const isWhole = found !== undefined && more.length === 0 && found.text === name.trim();
    return isWhole && !found.dynamic && found.path.length > 0 ? found : undefined;
  } catch (thrown) {
    if (thrown instanceof Failure) return undefined;
    throw thrown;
  }
}
