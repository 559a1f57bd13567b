/** Rules: Liquid in the defaults of template fields is written correctly and reads what there is (section 5). */
import { Failure } from '../../errors.ts';
import { CONTENT_NAMES, compileLiquid, type LiquidVariable } from '../../expression/liquid.ts';
import { isObject, pointerTo } from '../../json.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import type { Draft } from '../draft.ts';
import { codeOf } from '../read-params.ts';
import type { Report } from '../report.ts';
import { isLiquidField } from '../values.ts';
import type { Rule, RuleContext } from './context.ts';

const PERSONAL: ReadonlySet<string> = new Set(['customer', 'profile', 'subscription']);

export const checkLiquidDefaults: Rule = (draft, report, context) => {
  const form = draft.forms.find((each) => each.group === 'template');
  for (const { field, pointer } of form?.fields ?? []) {
    if (!isLiquidField(field)) continue;
    checkValue(field.default, pointerTo(pointer, 'default'), field.type === 'html', draft, report, context);
  }
};

function checkValue(
  value: unknown,
  pointer: string,
  html: boolean,
  draft: Draft,
  report: Report,
  context: RuleContext,
): void {
  if (Array.isArray(value) || isObject(value)) {
    for (const [key, each] of Object.entries(value))
      checkValue(each, pointerTo(pointer, key), html, draft, report, context);
    return;
  }
  if (typeof value !== 'string') return;
  try {
    for (const variable of compileLiquid(value, { html }).variables) {
      checkVariable(variable, pointer, draft, report, context);
    }
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    report.add(codeOf(thrown), { source: draft.source, pointer }, thrown.message);
  }
}

function checkVariable(
  { namespace, path, text }: LiquidVariable,
  pointer: string,
  draft: Draft,
  report: Report,
  { members }: RuleContext,
): void {
  const place = { source: draft.source, pointer };
  if (!CONTENT_NAMES.includes(namespace)) {
    const near = nearName(namespace, CONTENT_NAMES);
    const message = `{{ ${text} }} reads "${namespace}", which content does not have.${didYouMean(near) || ` It has: ${listed(CONTENT_NAMES)}.`}`;
    report.add('reference-unknown', place, message, near);
    return;
  }
  if (PERSONAL.has(namespace) && draft.document.communication === 'indirect') {
    const message = `{{ ${text} }} is personal data, but an indirect channel sends one content to all; remove it.`;
    report.add('personal-data', place, message);
    return;
  }
  const [first] = path;
  if (namespace !== 'subscription' && namespace !== 'resource' && namespace !== 'campaign') return;
  const known = members(namespace);
  if (first === undefined || known === undefined || known.names.has(first)) return;
  const near = nearName(first, known.names);
  const message = `{{ ${text} }}: ${known.what} have no "${first}".${didYouMean(near) || ` There are: ${listed(known.names)}.`}`;
  report.add('reference-unknown', place, message, near);
}
