/** What would become of the webhooks of a bundle. A webhook has no name but its address. */
import { asFailure } from '../../errors.ts';
import { checkWebhook } from '../../flows/operator-events/save-webhook.ts';
import type { Json } from '../../json.ts';
import { type Difference, differences } from '../../testing/compare.ts';
import type { WebhookMember } from './document.ts';
import { type PlannedSecret, planSecret } from './plan-secret.ts';
import { fillIn, variableOf } from './references.ts';
import type { HeldWebhook } from './server-settings.ts';
import type { Planning, Step } from './step.ts';

/** Of several with one address the first stands for the oldest, and so on. */
export async function planWebhooks(
  members: readonly WebhookMember[],
  planning: Planning,
): Promise<readonly Step[]> {
  if (members.length === 0) return [];
  const held = Map.groupBy(await planning.state.webhooks(), ({ url }) => url);
  const counts = new Map<string, number>();
  return members.map((member) => {
    const url = fillIn(member.url, planning.environment);
    const address = typeof url === 'string' ? url : `(${variableOf(url)})`;
    const place = counts.get(address) ?? 0;
    counts.set(address, place + 1);
    const name = `${withoutPassword(address)}${place === 0 ? '' : ` (${place + 1})`}`;
    return planWebhook({ ...member, url }, name, held.get(address)?.[place], planning);
  });
}

function planWebhook(
  { url, events, secret: given, status }: WebhookMember,
  name: string,
  held: HeldWebhook | undefined,
  planning: Planning,
): Step {
  const what = `Webhook ${name}`;
  const place = { what, name: 'secret', pointer: '/secret', keepsSecrets: true } as const;
  const secret = planSecret({ ...place, given, isSet: held !== undefined }, planning);
  if (given === null || (given === undefined && held === undefined)) {
    planning.problems.push(
      `${what}: it needs its "secret", as a reference to the environment; one that the server made would be shown to nobody.`,
    );
  }
  planning.problems.push(...problemsOf(what, url, secret.value));
  const written = secret.value === undefined ? {} : { secret: secret.value };
  if (held === undefined) {
    const write: Step['write'] = async (api) => {
      const made = await api.post<{ id: string }>('/webhooks', { url, events, ...written });
      if (status === 'disabled') await api.put(`/webhooks/${made.id}`, { status });
    };
    return { kind: 'webhook', name, change: 'create', differences: [], write };
  }
  const changed: Difference[] = [
    // Their order means nothing.
    ...differences([...events].sort(), [...held.events].sort(), '/events', true),
    ...(status === undefined ? [] : differences(status, held.status, '/status', true)),
    ...secret.differences,
  ];
  const change = changed.length === 0 ? 'keep' : 'change';
  const body = { events, ...written, ...(status !== undefined && { status }) };
  const write: Step['write'] = (api) => api.put(`/webhooks/${held.id}`, body);
  return { kind: 'webhook', name, change, differences: changed, write };
}

/** What is still a reference is not known yet. */
function problemsOf(what: string, url: Json, secret: PlannedSecret['value']): readonly string[] {
  try {
    checkWebhook({
      ...(typeof url === 'string' && { url }),
      ...(typeof secret === 'string' && { secret }),
    });
    return [];
  } catch (thrown) {
    return [`${what}: ${asFailure(thrown).message}`];
  }
}

/** An address with a password is refused, and is not shown either. */
function withoutPassword(address: string): string {
  return address.replace(/\/\/[^/?#]*@/, '//');
}
