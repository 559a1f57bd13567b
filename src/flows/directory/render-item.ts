/** Content items in messages: the channel's mapping makes of their rendered content the values of its template fields. */

import type { ChannelDocument, Field } from '../../channel/document.ts';
import type { FieldCheck } from '../../channel/values.ts';
import { compileItem, type ItemContent, renderItem } from '../../content/compile-item.ts';
import { CONTENT_TYPES } from '../../content/types/catalog.ts';
import { Failure } from '../../errors.ts';
import { pointerTo } from '../../json.ts';
import { listed } from '../../near.ts';
import {
  type ContentScope,
  checkOf,
  compileFieldValues,
  openGroups,
  type RenderedContent,
  refusePersonal,
} from './render-content.ts';

type Values = Readonly<Record<string, unknown>>;

/** As `CompiledContent`; a promise only where the item has formulas. */
export interface ItemRendering {
  /** Throws or rejects with CONTENT_VARIABLE_MISSING, LIQUID_FAILED, JSONATA_FAILED or EXPRESSION_LIMIT. */
  readonly render: (scope: ContentScope) => RenderedContent | Promise<RenderedContent>;
}

/**
 * Compiles a version of an item for a channel. Throws REQUEST_INVALID if the channel does not take its type, in an
 * indirect channel PERSONAL_DATA_REFUSED, naming the place, and VALUES_INVALID for what would fit nobody's message.
 */
export function compileItemFor(channel: ChannelDocument, item: ItemContent): ItemRendering {
  const template = checkOf(channel);
  const { personalizable } = CONTENT_TYPES[item.channelType];
  const fields = new Map(template.fields.map((field) => [field.field, field]));
  const parts = Object.entries(mappingOf(channel, item)).map(([name, key]) => ({
    name,
    key,
    kindOf: inField(personalizable, fields.get(name)),
  }));
  const compiled = compileItem(item, parts, true);
  refusePersonal(channel, compiled.variables, (pointer) => `"${pointer.slice(1)}" of the content item`);
  for (const { name, formula } of compiled.formulas) {
    if (channel.communication !== 'indirect' || !formula.reads.has('customer')) continue;
    const message = `The formula of ${name} reads "customer", but channel "${channel.sid}" is not personalized: its content is the same for everyone. Remove it, or use a direct channel.`;
    throw new Failure('PERSONAL_DATA_REFUSED', message, {
      problems: [{ pointer: '/personalization', message }],
    });
  }
  const lacking = template.fields.find(
    (field) => field.required === true && !('default' in field) && !compiled.names.includes(field.field),
  );
  if (lacking !== undefined) {
    const message = `Channel "${channel.sid}" needs "${lacking.field}" (${lacking.name}), which the content item does not give it.`;
    throw new Failure('VALUES_INVALID', message, { problems: [{ pointer: '', message }] });
  }
  refuseUnfitting(channel, template, compiled.constants);
  const others = template.fields.flatMap((field) =>
    'default' in field && !compiled.names.includes(field.field) ? [[field.field, field.default]] : [],
  );
  const { constants, varying } = compileFieldValues(channel, Object.fromEntries(others));
  const shown = openGroups(channel);
  return Object.freeze({
    render: (scope: ContentScope) => {
      const liquid = shown(scope);
      const finish = (content: Record<string, unknown>) => {
        const values = { ...constants, ...content };
        for (const { name, render } of varying) values[name] = render(liquid);
        return template.check(values, 'final');
      };
      const content = renderItem(compiled, liquid);
      return content instanceof Promise ? content.then(finish) : finish(content);
    },
  });
}

/** What is the same for everyone either fits now or never: said here it costs one answer, and not a message each. */
function refuseUnfitting(channel: ChannelDocument, template: FieldCheck, constants: Values): void {
  const { problems } = template.check(constants, 'final');
  const unfitting = problems.find(({ pointer }) =>
    Object.keys(constants).some((name) => `${pointer}/`.startsWith(`${pointerTo('', name)}/`)),
  );
  if (unfitting === undefined) return;
  const message = `The content item does not fit channel "${channel.sid}": ${unfitting.message}`;
  throw new Failure('VALUES_INVALID', message, { problems: [{ pointer: '', message }] });
}

/** Template field ← content key. Throws REQUEST_INVALID, naming what the channel takes. */
function mappingOf(channel: ChannelDocument, { channelType }: ItemContent): Readonly<Record<string, string>> {
  const { content = {} } = channel;
  const mapping = Object.hasOwn(content, channelType) ? content[channelType] : undefined;
  if (mapping !== undefined) return mapping;
  const taken = Object.keys(content);
  const takes = taken.length === 0 ? 'no content items' : `content of type ${listed(taken)}`;
  const message = `Channel "${channel.sid}" takes ${takes}, but the content item is of type "${channelType}".`;
  throw new Failure('REQUEST_INVALID', message, { problems: [{ pointer: '', message }] });
}

/** What goes into a field of HTML is escaped, whatever it was written for. */
function inField(
  personalizable: (path: readonly string[]) => 'text' | 'html' | undefined,
  field: Field | undefined,
): (path: readonly string[]) => 'text' | 'html' | undefined {
  if (field?.type !== 'html') return personalizable;
  return (path) => (personalizable(path) === undefined ? undefined : 'html');
}
