/** Which variables of a text could stay without a value: nothing with one of them may be published. */
import type { LiquidVariable } from '../expression/liquid.ts';
import type { PlacedVariable } from '../expression/liquid-value.ts';
import { didYouMean, nearName } from '../near.ts';
import type { Entry } from './entries.ts';
import { answeringKeys, isNamespace, NAMESPACES } from './variables.ts';

export interface UnresolvedVariable {
  /** As the author wrote it. */
  readonly variable: string;
  /** Where the text stands that reads it. */
  readonly pointer: string;
  /** A sentence that says what to do. */
  readonly message: string;
}

/** The variables that no entry gives a fallback or requires, each once. */
export function findUnresolved(
  used: readonly PlacedVariable[],
  entries: readonly Entry[],
): readonly UnresolvedVariable[] {
  const answered = new Set(
    entries.filter((entry) => entry.required || entry.fallback !== undefined).map((entry) => entry.key),
  );
  const found = new Map<string, UnresolvedVariable>();
  for (const { pointer, variable } of used) {
    const message = whyUnresolved(variable, answered);
    if (message === undefined || found.has(variable.text)) continue;
    found.set(variable.text, { variable: variable.text, pointer, message });
  }
  return [...found.values()];
}

function whyUnresolved(variable: LiquidVariable, answered: ReadonlySet<string>): string | undefined {
  const { namespace, path, dynamic, text } = variable;
  if (namespace === 'now' && path.length === 0 && !dynamic) return undefined;
  if (namespace !== 'profile' && !isNamespace(namespace)) {
    const near = didYouMean(nearName(namespace, NAMESPACES)) || ` It has: ${NAMESPACES.join(', ')}.`;
    return `{{ ${text} }} reads "${namespace}", which content does not have.${near}`;
  }
  if (dynamic) {
    return `{{ ${text} }} is known only when it is rendered, so nothing can stand in for it; give it a name with a formula, as computed.label.`;
  }
  if (path.length === 0) return `{{ ${text} }} is all of "${namespace}"; name the member that is meant.`;
  if (answeringKeys(variable).some((key) => answered.has(key))) return undefined;
  return `{{ ${text} }} has neither a fallback nor "required"; give it an entry in the personalization that has one of them.`;
}
