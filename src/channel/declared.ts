/** What the keywords of expressions hold, by the declarations of the channel. */
import type { Keyword } from '../expression/scope.ts';
import type { Field, FieldGroup } from './document.ts';
import type { Draft } from './draft.ts';

/** The members of a keyword object. */
export interface Members {
  readonly names: ReadonlySet<string>;
  /** The names that are secret. */
  readonly secrets: ReadonlySet<string>;
  /** What the names are, for a sentence. */
  readonly what: string;
}

const GROUPS: { readonly [K in Keyword]?: FieldGroup } = {
  template: 'template',
  sender: 'sender',
  resource: 'resource',
  campaign: 'mailing',
  subscription: 'subscription',
  account: 'account',
};

/** Members that are there without being declared. */
const BUILT_IN: { readonly [K in Keyword]?: readonly string[] } = {
  sender: ['id', 'name', 'sid'],
  resource: ['id', 'name', 'sid'],
  campaign: ['id', 'name'],
  account: ['id', 'name'],
  message: ['id', 'attempt'],
  channel: ['sid', 'id'],
  camp_schedule: ['start_time', 'stop_time'],
  error: ['code', 'message', 'kind', 'pipe', 'items'],
  now: [],
};

/** The members of each keyword; undefined for those whose members are free or not known. */
export function declaredMembers(draft: Draft): (keyword: Keyword) => Members | undefined {
  const known = new Map<Keyword, Members | undefined>();
  return (keyword) => {
    if (!known.has(keyword)) known.set(keyword, membersOf(draft, keyword));
    return known.get(keyword);
  };
}

function membersOf(draft: Draft, keyword: Keyword): Members | undefined {
  const group = GROUPS[keyword];
  const builtIn = BUILT_IN[keyword];
  if (group === undefined) {
    return builtIn && { names: new Set(builtIn), secrets: new Set(), what: `$${keyword}` };
  }
  const form = draft.forms.find((each) => each.group === group);
  if (form?.whole === false) return undefined;
  const fields: readonly Field[] = form?.fields.map((use) => use.field) ?? [];
  return {
    names: new Set([...fields.map((field) => field.field), ...(builtIn ?? [])]),
    secrets: new Set(fields.filter((field) => field.secret === true).map((field) => field.field)),
    what: `the ${group} fields`,
  };
}
