/** What applying a bundle to a server would do, member by member. Nothing is changed here. */
import { Failure } from '../../errors.ts';
import type { ServerApi } from '../server-api.ts';
import type { Bundle } from './document.ts';
import { planChannels } from './plan-channels.ts';
import { planConnectors } from './plan-connectors.ts';
import { planResource, planSender, planTemplate } from './plan-members.ts';
import { planProviderConfig, planSenderRules, planSendingRules } from './plan-rules.ts';
import { planWebhooks } from './plan-webhooks.ts';
import { isUnset, variablesIn } from './references.ts';
import { readServerState } from './server-state.ts';
import type { Planning, Step } from './step.ts';

export interface BundlePlan {
  /** In the order in which they are made: what is named comes before what names it. */
  readonly steps: readonly Step[];
  /** Variables that the bundle refers to and the environment does not have. */
  readonly unset: readonly string[];
}

/** Throws DOCUMENT_INVALID with everything that is wrong, on a line each. */
export async function planBundle(
  bundle: Bundle,
  api: ServerApi,
  options: { readonly environment: Planning['environment']; readonly secrets: boolean },
): Promise<BundlePlan> {
  const problems: string[] = [];
  const state = await readServerState(api);
  const { steps: channels, documents } = await planChannels(bundle.channels, state, problems);
  const inBundle = new Set(bundle.channels.map(({ sid }) => sid));
  const planning: Planning = {
    ...options,
    state,
    problems,
    document: async (sid) => (inBundle.has(sid) ? documents.get(sid) : state.document(sid)),
    senders: (channel) =>
      new Set(
        [...state.senders.values(), ...bundle.senders].flatMap((each) =>
          each.channel === channel ? [each.sid] : [],
        ),
      ),
  };
  const isChannel = (sid: string) => inBundle.has(sid) || state.channels.has(sid);
  const steps: (Step | undefined)[] = [...(await planConnectors(bundle.connectors, planning)), ...channels];
  for (const member of bundle.providerConfigs) steps.push(await planProviderConfig(member, planning));
  for (const member of bundle.resources) steps.push(await planResource(member, planning));
  for (const member of bundle.senders) steps.push(await planSender(member, planning));
  for (const member of bundle.templates) steps.push(await planTemplate(member, planning));
  for (const member of bundle.senderRules) steps.push(await planSenderRules(member, planning));
  const { sendingRules } = bundle;
  if (sendingRules !== undefined) steps.push(await planSendingRules(sendingRules, isChannel, planning));
  steps.push(...(await planWebhooks(bundle.webhooks, planning)));
  if (problems.length > 0) {
    const lines = problems.map((problem) => `  ${problem}`).join('\n');
    throw new Failure('DOCUMENT_INVALID', `The bundle cannot be applied, and nothing was changed:\n${lines}`);
  }
  const { senders, resources, templates, connectors, providerConfigs, webhooks } = bundle;
  const referring = [senders, resources, templates, connectors, providerConfigs, webhooks];
  const variables = new Set(referring.flatMap(variablesIn));
  return {
    steps: steps.filter((step) => step !== undefined),
    unset: [...variables].filter((name) => isUnset(name, options.environment)).sort(),
  };
}
