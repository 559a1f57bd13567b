/** The field values that a golden test gives, filled in and rendered as in production. */
import { type ChannelDocument, type FieldGroup, fieldsOf } from '../channel/document.ts';
import { compileFields } from '../channel/values.ts';
import { Failure, type Problem } from '../errors.ts';
import { compileContent } from '../flows/directory/render-content.ts';
import { own } from '../json.ts';
import type { GivenValues } from './given-world.ts';
import { timeOf } from './given-world.ts';
import type { GivenMessage, GoldenTest } from './golden-test.ts';

const GROUPS = {
  template: 'template',
  sender: 'sender',
  resource: 'resource',
  mailing: 'campaign',
  subscription: 'subscription',
  account: 'account',
} as const satisfies { readonly [G in FieldGroup]: keyof GivenMessage };

/** The values by group, as the test gives them. */
export function givenValues(test: GoldenTest): GivenValues {
  const message = test.given?.message ?? {};
  const values = Object.entries(GROUPS).map(([group, member]) => [group, message[member] ?? {}]);
  return Object.fromEntries(values);
}

/** Members of a keyword object beside its fields. */
const NAMES = ['id', 'sid', 'name'];

/**
 * The values by group with defaults; the template is still to be rendered. What a test leaves out is left out.
 * Throws VALUES_INVALID if a value does not fit its field, or there is no such field.
 */
export function completeValues(channel: ChannelDocument, test: GoldenTest): GivenValues {
  const problems: Problem[] = [];
  const values = Object.entries(givenValues(test)).map(([group, given]) => {
    if (group === 'template') return [group, given];
    const names = Object.fromEntries(Object.entries(given).filter(([name]) => isName(channel, group, name)));
    const fields = Object.fromEntries(Object.entries(given).filter(([name]) => !Object.hasOwn(names, name)));
    const checked = compileFields(channel.fields[group as FieldGroup], group as FieldGroup).check(
      fields,
      'final',
    );
    const at = `/given/message/${GROUPS[group as FieldGroup]}`;
    for (const { pointer, message } of checked.problems) {
      // Only what is there can be wrong: a test gives what its way needs.
      if (own(fields, pointer.split('/')[1] ?? '') !== undefined)
        problems.push({ pointer: at + pointer, message });
    }
    return [group, { ...names, ...checked.values }];
  });
  const [first] = problems;
  if (first === undefined) return Object.fromEntries(values);
  throw new Failure('VALUES_INVALID', 'The test gives values that do not fit the fields of the channel.', {
    problems,
  });
}

function isName(channel: ChannelDocument, group: string, name: string): boolean {
  const fields = fieldsOf(channel.fields[group as FieldGroup]);
  return NAMES.includes(name) && !fields.some((field) => field.field === name);
}

/** The rendered content of the test's message. Throws what keeps a message from being sent. */
export function renderTemplate(
  channel: ChannelDocument,
  test: GoldenTest,
  values: GivenValues,
): GivenValues['template'] {
  const { profile = {}, offer, attributes = {}, computed } = test.given?.message ?? {};
  const rendered = compileContent(channel, givenValues(test).template).render({
    profile,
    subscription: values.subscription,
    resource: values.resource,
    campaign: { name: 'Mailing', ...values.mailing },
    offer,
    attributes,
    computed,
    now: timeOf(test),
  });
  const [problem] = rendered.problems;
  if (problem === undefined) return rendered.values;
  throw new Failure('VALUES_INVALID', `The rendered content does not fit the channel: ${problem.message}`, {
    problems: rendered.problems,
  });
}
