/** What the plans of most members have in common: their steps, their names, their channels. */
import type { ChannelDocument } from '../../channel/document.ts';
import { type Difference, differences } from '../../testing/compare.ts';
import type { Planning, Step } from './step.ts';

/** The step of what has a sid and a path of its own. */
export function entityStep(
  kind: 'connector' | 'resource' | 'sender' | 'template',
  name: string,
  held: { readonly id: string } | undefined,
  changed: readonly Difference[],
  bodies: { readonly create: unknown; readonly change: unknown },
): Step {
  if (held === undefined) {
    const write: Step['write'] = (api) => api.post(`/${kind}s`, bodies.create);
    return { kind, name, change: 'create', differences: [], write };
  }
  const write: Step['write'] = (api) => api.put(`/${kind}s/${held.id}`, bodies.change);
  return { kind, name, change: changed.length === 0 ? 'keep' : 'change', differences: changed, write };
}

/** The difference of the name, where there is one. */
export function nameChange(
  member: { readonly name: string },
  held: { readonly name: string } | undefined,
): readonly Difference[] {
  return differences(member.name, held?.name ?? member.name, '/name', true);
}

/** The channel that a member names; where there is none, that is a problem. */
export async function documentOf(
  channel: string,
  what: string,
  planning: Planning,
): Promise<ChannelDocument | undefined> {
  const document = await planning.document(channel);
  if (document === undefined) {
    planning.problems.push(
      `${what} is of channel "${channel}", which is neither sound in the bundle nor on the server.`,
    );
  }
  return document;
}
