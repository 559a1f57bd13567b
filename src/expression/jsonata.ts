import type { Reference, Scope } from './scope.ts';
export interface Expression {
  readonly async: boolean;
  readonly references: readonly Reference[];
  readonly evaluate: (scope: Scope, extra?: Readonly<Record<string, unknown>>) => unknown;
}
export declare function compileJsonata(text: string, pointer?: string): Expression;
