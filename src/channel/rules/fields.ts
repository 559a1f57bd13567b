/** Rules: the fields of every form make sense, and the groups are there that the kind of channel needs (section 3.2). */

import { Failure } from '../../errors.ts';
import { compileRegex } from '../../expression/regex.ts';
import { own, pointerTo } from '../../json.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import type { FieldGroup } from '../document.ts';
import type { Draft, FormUse } from '../draft.ts';
import type { FieldUse } from '../read-fields.ts';
import type { Report } from '../report.ts';
import { SETTING_TYPES } from '../schema/field.ts';
import { compileFields } from '../values.ts';
import type { Rule } from './context.ts';

export const checkFields: Rule = (draft, report) => {
  checkGroups(draft, report);
  for (const form of draft.forms) {
    checkNames(form, draft, report);
    for (const use of form.fields) {
      checkSettings(use, form, draft, report);
      checkSecretGroup(use, form, draft, report);
      checkLimits(use, draft, report);
      checkOptions(use, draft, report);
      checkEntityName(use, draft, report);
      if (checkPattern(use, draft, report)) checkDefault(use, form, draft, report);
    }
  }
};

function checkGroups(draft: Draft, report: Report): void {
  const { communication } = draft.document;
  const needed: readonly (readonly [FieldGroup, string])[] = [
    communication === 'direct'
      ? [
          'subscription',
          'A direct channel needs at least one subscription field: the address of a person, such as a phone.',
        ]
      : [
          'resource',
          'An indirect channel needs at least one resource field: what it publishes to, such as a page id.',
        ],
    ['template', 'A channel needs at least one template field: the content of a message.'],
  ];
  for (const [group, message] of needed) {
    const form = draft.forms.find((each) => each.group === group);
    if (form !== undefined && (form.fields.length > 0 || !form.whole)) continue;
    report.add('field-missing', { source: draft.source, pointer: `/fields/${group}` }, message);
  }
}

/** Content is written, approved and read by people; what must stay secret belongs to those who own credentials. */
function checkSecretGroup(use: FieldUse, form: FormUse, draft: Draft, report: Report): void {
  if (use.field.secret !== true || (form.group !== 'template' && form.group !== 'mailing')) return;
  report.add(
    'secret-group',
    { source: draft.source, pointer: pointerTo(use.pointer, 'secret') },
    `A ${form.group} field cannot be secret: its values are read by everybody who sees the ${form.group === 'template' ? 'content' : 'mailing'}. Make it a sender, resource, account or subscription field.`,
  );
}

function checkNames(form: FormUse, draft: Draft, report: Report): void {
  const seen = new Set<string>();
  for (const { field, pointer } of form.fields) {
    if (seen.has(field.field)) {
      const message = `Two fields of this group have the name "${field.field}"; give one of them another.`;
      report.add('field-twice', { source: draft.source, pointer: pointerTo(pointer, 'field') }, message);
    }
    seen.add(field.field);
  }
}

function checkSettings({ field, pointer }: FieldUse, form: FormUse, draft: Draft, report: Report): void {
  const at = (name: string) => ({
    source: draft.source,
    pointer: pointerTo(pointer, name),
    of: 'key' as const,
  });
  for (const name of Object.keys(field)) {
    const types = Object.hasOwn(SETTING_TYPES, name) ? SETTING_TYPES[name] : undefined;
    if (types === undefined || types.includes(field.type)) continue;
    report.add(
      'field-setting',
      at(name),
      `"${name}" means nothing for a field of type "${field.type}"; it is for ${types.join(', ')}.`,
    );
  }
  if (Object.hasOwn(field, 'liquid') && form.group !== 'template') {
    report.add(
      'field-setting',
      at('liquid'),
      '"liquid" means nothing here; only values of template fields are rendered by Liquid.',
    );
  }
  if (field.secret === true && field.default !== undefined) {
    const message = `"${field.field}" is secret, but its default can be read by everyone who sees this document; leave "default" out.`;
    report.add('secret-default', at('default'), message);
  }
}

function checkLimits({ field, pointer }: FieldUse, draft: Draft, report: Report): void {
  for (const [low, high] of [
    ['min', 'max'],
    ['min_length', 'max_length'],
  ] as const) {
    const [least, most] = [field[low], field[high]];
    if (least === undefined || most === undefined || least <= most) continue;
    const place = { source: draft.source, pointer: pointerTo(pointer, low) };
    report.add(
      'field-limits',
      place,
      `"${low}" is ${least} and "${high}" is ${most}, so that no value fits.`,
    );
  }
}

function checkOptions({ field, pointer }: FieldUse, draft: Draft, report: Report): void {
  if (field.type !== 'enum') return;
  const place = { source: draft.source, pointer: pointerTo(pointer, 'options') };
  if (field.options === undefined) {
    report.add(
      'field-options',
      place,
      `"${field.field}" is an enum, so it needs "options": [ { "value": …, "label": … } ].`,
    );
    return;
  }
  const values = field.options.map((option) => option.value);
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined)
    report.add('field-options', place, `The value ${JSON.stringify(twice)} stands twice among the options.`);
}

function checkEntityName({ field, pointer }: FieldUse, draft: Draft, report: Report): void {
  if (field.entity === undefined || field.type !== 'entity') return;
  const { entities } = draft.written;
  const sids = (Array.isArray(entities) ? entities : []).map((each: unknown) => String(own(each, 'sid')));
  if (sids.includes(field.entity)) return;
  const near = nearName(field.entity, sids);
  const message = `There is no entity "${field.entity}".${didYouMean(near) || ` Declared are: ${listed(sids)}.`}`;
  report.add(
    'entity-unknown',
    { source: draft.source, pointer: pointerTo(pointer, 'entity') },
    message,
    near,
  );
}

function checkPattern({ field, pointer }: FieldUse, draft: Draft, report: Report): boolean {
  if (field.pattern === undefined) return true;
  try {
    compileRegex(field.pattern);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    report.add(
      'regex-invalid',
      { source: draft.source, pointer: pointerTo(pointer, 'pattern') },
      thrown.message,
    );
    return false;
  }
}

function checkDefault({ field, pointer }: FieldUse, form: FormUse, draft: Draft, report: Report): void {
  if (field.default === undefined || (field.type === 'enum' && field.options === undefined)) return;
  const { problems } = compileFields([{ ...field, required: false }], form.group).check(
    { [field.field]: field.default },
    'saved',
  );
  const [problem] = problems;
  if (problem === undefined) return;
  const place = { source: draft.source, pointer: pointerTo(pointer, 'default') };
  report.add('field-default', place, `The default does not fit its field: ${problem.message}`);
}
