/**
 * Message states as the database keeps them: a number that only rises within an attempt (channel format, section 3.1).
 * Failures are above all others, because a failure is left only by a newer attempt; `soft_bounced` is not among them:
 * a provider that tries again by itself may still deliver (docs/decisions/0003).
 */
export const STATE_CODES = {
  accepted: 10,
  queued: 20,
  sending: 30,
  unknown: 35,
  sent: 40,
  soft_bounced: 45,
  delivered: 50,
  read: 60,
  clicked: 70,
  replied: 71,
  expired: 101,
  stopped: 102,
  suppressed: 103,
  failed: 110,
  undelivered: 120,
  hard_bounced: 130,
} as const;

export type MessageState = keyof typeof STATE_CODES;

const names = new Map<number, MessageState>(
  Object.entries(STATE_CODES).map(([name, code]) => [code, name as MessageState]),
);

export function stateName(code: number): MessageState {
  return names.get(code) ?? 'accepted';
}

/** The state an event type raises its message to; undefined for types without one. */
export const STATE_OF_EVENT: Readonly<Record<string, MessageState | undefined>> = Object.freeze({
  send: 'sent',
  deliv: 'delivered',
  sbounce: 'soft_bounced',
  hbounce: 'hard_bounced',
  undeliv: 'undelivered',
  read: 'read',
  click: 'clicked',
  reply: 'replied',
  stop: 'stopped',
});

/** The reason kept with a state that an event brought: failures have one, soft ones too. */
export function reasonOfState(state: MessageState, reason: string): string | null {
  return state === 'soft_bounced' || STATE_CODES[state] >= STATE_CODES.expired ? reason : null;
}

/** What an event type does to the subscription of its message. */
export const SUBSCRIPTION_OF_EVENT: Readonly<Record<string, 'hard_bounced' | 'unsubscribed' | undefined>> =
  Object.freeze({ hbounce: 'hard_bounced', complain: 'unsubscribed', unsub: 'unsubscribed' });
