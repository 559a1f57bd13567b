/** Looking at content before it is sent: what a person would get, and what would refuse it. */
import { asFailure, type Failure } from '../errors.ts';
import { checkContent } from './check.ts';
import { type CompiledItem, compileItem, type ItemContent, wholeContent } from './compile-item.ts';
import { missingVariables, type Resolved } from './personalization.ts';
import type { ContentFinding } from './types/contract.ts';
import type { UnresolvedVariable } from './unresolved.ts';

type Values = Readonly<Record<string, unknown>>;

export interface Trial {
  /** As far as it can be rendered; null if it cannot. */
  readonly content: Values | null;
  readonly findings: readonly ContentFinding[];
  /** Names of variables without value and fallback. */
  readonly missing: readonly string[];
  /** Names of variables that got their fallback. */
  readonly filled: readonly string[];
  /** Why a message with these values would not be sent. */
  readonly refusal: Failure | undefined;
}

export interface TriedItem {
  /** The variables that keep it from being published. */
  readonly unresolved: readonly UnresolvedVariable[];
  /** Renders for one person. */
  readonly run: (values: Values) => Promise<Trial>;
}

/** Compiles an item for trials. Throws what `compileItem` throws. */
export function tryItem(item: ItemContent): TriedItem {
  const strict = compileItem(item, wholeContent(item), true);
  const lenient = compileItem(item, wholeContent(item), false);
  return Object.freeze({
    unresolved: strict.unresolved,
    run: async (values: Values) => {
      const { resolved, failed } = await resolveOrFail(strict, values);
      const { missing, filled } = resolved;
      const refused = missing.length > 0 ? missingVariables(missing) : failed;
      const written = refused === undefined ? write(strict, resolved.values) : refused;
      const content = isContent(written) ? written : write(lenient, resolved.values);
      const shown = isContent(content) ? content : null;
      return {
        content: shown,
        findings: shown === null ? [] : checkContent(item.channelType, shown, 'rendered'),
        missing,
        filled,
        refusal: isContent(written) ? undefined : written,
      };
    },
  });
}

async function resolveOrFail(
  { resolve }: CompiledItem,
  values: Values,
): Promise<{ resolved: Resolved; failed?: Failure }> {
  try {
    return { resolved: await resolve(values) };
  } catch (thrown) {
    return { resolved: { values, missing: [], filled: [] }, failed: asFailure(thrown) };
  }
}

function write(compiled: CompiledItem, values: Values): Values | Failure {
  try {
    return compiled.write(values);
  } catch (thrown) {
    return asFailure(thrown);
  }
}

function isContent(written: Values | Failure): written is Values {
  return !(written instanceof Error);
}
