/** What would become of the senders, resources and templates of a bundle. */
import { asFailure } from '../../errors.ts';
import { compileContent } from '../../flows/directory/render-content.ts';
import { own, pointerTo } from '../../json.ts';
import type { Difference } from '../../testing/compare.ts';
import type { ResourceMember, SenderMember, TemplateMember } from './document.ts';
import { documentOf, entityStep, nameChange } from './entity-step.ts';
import { planValues } from './plan-values.ts';
import { keyOf } from './server-state.ts';
import type { Planning, Step } from './step.ts';

export async function planSender(member: SenderMember, planning: Planning): Promise<Step | undefined> {
  const { sid, name, channel, fields: given = {} } = member;
  const what = `Sender ${keyOf(member)}`;
  const document = await documentOf(channel, what, planning);
  if (document === undefined) return undefined;
  const held = planning.state.senders.get(keyOf(member));
  const place = { what, document, group: 'sender', pointer: '/fields', keepsSecrets: true } as const;
  const { differences: changed, values: fields } = planValues(
    { ...place, given, held: held?.fields },
    planning,
  );
  return entityStep('sender', keyOf(member), held, [...nameChange(member, held), ...changed], {
    create: { sid, name, channel, fields },
    change: { name, fields },
  });
}

export async function planResource(member: ResourceMember, planning: Planning): Promise<Step> {
  const { sid, name, channels: given = {} } = member;
  const held = planning.state.resources.get(sid);
  const changed: Difference[] = [...nameChange(member, held)];
  const channels: Record<string, unknown> = {};
  for (const [channel, value] of Object.entries(given)) {
    const what = `Resource ${sid}`;
    const document = await documentOf(channel, what, planning);
    if (document === undefined) continue;
    const pointer = `${pointerTo('/channels', channel)}/fields`;
    const before = own(held?.channels, channel);
    const place = { what, document, group: 'resource', pointer, keepsSecrets: true } as const;
    const planned = planValues(
      { ...place, given: value.fields ?? {}, held: held?.channels?.[channel]?.fields },
      planning,
    );
    channels[channel] = { fields: planned.values };
    if (before === undefined) {
      changed.push({ pointer: pointerTo('/channels', channel), expected: value, actual: undefined });
    } else changed.push(...planned.differences);
  }
  // A write names all channels of a resource; the ones that it leaves out are gone.
  for (const [channel, value] of Object.entries(held?.channels ?? {})) {
    if (Object.hasOwn(given, channel)) continue;
    changed.push({ pointer: pointerTo('/channels', channel), expected: undefined, actual: value });
  }
  return entityStep('resource', sid, held, changed, {
    create: { sid, name, channels },
    change: { name, channels },
  });
}

export async function planTemplate(member: TemplateMember, planning: Planning): Promise<Step | undefined> {
  const { sid, name, channel, values: given } = member;
  const what = `Template ${keyOf(member)}`;
  const document = await documentOf(channel, what, planning);
  if (document === undefined) return undefined;
  const held = planning.state.templates.get(keyOf(member));
  const place = { what, document, group: 'template', pointer: '/values', keepsSecrets: false } as const;
  const { differences: changed, values } = planValues({ ...place, given, held: held?.values }, planning);
  try {
    compileContent(document, values);
  } catch (thrown) {
    planning.problems.push(`${what}: ${asFailure(thrown).message}`);
  }
  return entityStep('template', keyOf(member), held, [...nameChange(member, held), ...changed], {
    create: { sid, name, channel, values },
    change: { name, values },
  });
}
