/** What rules know besides the document. */

import type { Keyword } from '../../expression/scope.ts';
import type { Analysis } from '../analysis.ts';
import type { Members } from '../declared.ts';
import type { ChannelDocument } from '../document.ts';
import type { Draft } from '../draft.ts';
import type { Report } from '../report.ts';

export interface RuleContext {
  /** The name of the folder, where the channel stands in one. */
  readonly folder: string | undefined;
  readonly others: readonly { readonly sid: string; readonly id: number }[];
  /** The version before. */
  readonly previous: ChannelDocument | undefined;
  readonly analyses: readonly Analysis[];
  /** What a keyword holds; undefined if that is free or not known. */
  readonly members: (keyword: Keyword) => Members | undefined;
}

/** A family of rules: reports what is wrong with a draft. */
export type Rule = (draft: Draft, report: Report, context: RuleContext) => void;
