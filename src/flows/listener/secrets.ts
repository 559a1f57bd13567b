/** Secrets of a verification: templates over `$sender` and `$account`, rendered for each request. */
import { Failure, type Problem } from '../../errors.ts';
import type { Scope } from '../../expression/scope.ts';
import { compileTemplate } from '../../expression/template.ts';
import { toText } from '../../expression/text.ts';
import { pointerTo } from '../../json.ts';

/** One rendered secret; undefined if it has no value, so that it can never match. */
export type RenderSecret = (scope: Scope) => string | undefined;

export interface Secrets {
  /** The secrets that have a value. Throws SIGNATURE_INVALID where none has. */
  readonly render: (scope: Scope) => readonly string[];
}

/** Compiles one secret; one that reads the request itself is a problem: the caller would choose it. */
export function compileSecret(text: string, pointer: string, problems: Problem[]): RenderSecret {
  const template = compileTemplate(text, pointer);
  problems.push(...template.problems);
  for (const { keyword, text: reference } of template.references) {
    if (keyword === 'sender' || keyword === 'account') continue;
    problems.push({
      pointer,
      message: `A secret may come from $sender and $account only; ${reference} would let the caller choose it.`,
    });
  }
  return ({ sender, account }) => {
    try {
      const value = toText(template.render({ sender, account }));
      return value.trim() === '' ? undefined : value;
    } catch (thrown) {
      if (thrown instanceof Failure) return undefined;
      throw thrown;
    }
  };
}

/** Compiles a list of secrets; several are a rotation, any of them verifies. */
export function compileSecrets(texts: readonly string[], pointer: string, problems: Problem[]): Secrets {
  const compiled = texts.map((text, index) => compileSecret(text, pointerTo(pointer, index), problems));
  return {
    render: (scope) => {
      const values = compiled.map((render) => render(scope)).filter((value) => value !== undefined);
      if (values.length > 0) return values;
      throw new Failure(
        'SIGNATURE_INVALID',
        scope.sender === undefined
          ? 'The request cannot be verified: no secret has a value, and the address names no sender. Let the provider call the address that ends with the sid of the sender.'
          : 'The request cannot be verified: no secret has a value. Fill in the fields of the sender that "secrets" names.',
      );
    },
  };
}
