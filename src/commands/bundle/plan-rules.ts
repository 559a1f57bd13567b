/** What would become of the settings and rules of a bundle that a server holds as one piece: of a channel, or of the account. */
import { asFailure } from '../../errors.ts';
import { checkSendingRules, NO_RULES, type SendingRules } from '../../flows/guards/sending-rules.ts';
import { ruleProblems } from '../../flows/senders/check-sender-rules.ts';
import { type Difference, differences } from '../../testing/compare.ts';
import type { ProviderConfigMember, SenderRulesMember } from './document.ts';
import { documentOf } from './entity-step.ts';
import { planValues } from './plan-values.ts';
import type { Planning, Step } from './step.ts';

export async function planProviderConfig(
  { channel, fields: given }: ProviderConfigMember,
  planning: Planning,
): Promise<Step | undefined> {
  const what = `Provider config ${channel}`;
  const document = await documentOf(channel, what, planning);
  if (document === undefined) return undefined;
  const held = await planning.state.providerConfig(channel);
  const place = { what, document, group: 'account', pointer: '/fields', keepsSecrets: true } as const;
  const planned = planValues({ ...place, given, held }, planning);
  return wholeStep('provider-config', channel, held !== undefined, planned.differences, (api) =>
    api.put(`/channels/${channel}/provider-config`, planned.values),
  );
}

export async function planSenderRules(
  { channel, rules }: SenderRulesMember,
  planning: Planning,
): Promise<Step | undefined> {
  const what = `Sender rules ${channel}`;
  const document = await documentOf(channel, what, planning);
  if (document === undefined) return undefined;
  for (const { pointer, message } of ruleProblems(rules, document, planning.senders(channel))) {
    planning.problems.push(`${what} at ${pointer}: ${message}`);
  }
  const held = await planning.state.senderRules(channel);
  const changed = differences(rules, held ?? [], '/rules', true);
  return wholeStep('sender-rules', channel, held !== undefined, changed, (api) =>
    api.put(`/channels/${channel}/sender-rules`, { rules }),
  );
}

export async function planSendingRules(
  rules: SendingRules,
  isChannel: (sid: string) => boolean,
  planning: Planning,
): Promise<Step> {
  try {
    checkSendingRules(rules, isChannel);
  } catch (thrown) {
    const failure = asFailure(thrown);
    for (const { pointer, message } of failure.details.problems ?? [
      { pointer: '', message: failure.message },
    ]) {
      planning.problems.push(`Sending rules at ${pointer || '/'}: ${message}`);
    }
  }
  const held = await planning.state.sendingRules();
  const changed = differences(rules, held ?? NO_RULES, '', true);
  return wholeStep('sending-rules', 'account', held !== undefined, changed, (api) =>
    api.put('/sending-rules', rules),
  );
}

/** Where a server holds nothing, and nothing is asked for, there is nothing to make. */
function wholeStep(
  kind: Step['kind'],
  name: string,
  isHeld: boolean,
  changed: readonly Difference[],
  write: Step['write'],
): Step {
  if (changed.length === 0) return { kind, name, change: 'keep', differences: [], write };
  return isHeld
    ? { kind, name, change: 'change', differences: changed, write }
    : { kind, name, change: 'create', differences: [], write };
}
