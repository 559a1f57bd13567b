import type { FindingCode } from './rules/codes.ts';

/** A mistake in an expression. */
export interface ExpressionProblem {
  readonly code: FindingCode;
  readonly pointer: string;
  readonly message: string;
  readonly suggestion?: string;
}
