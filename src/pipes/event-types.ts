/** The platform events: what a channel's own events reflect, and what drives moderation and stopping. */

/** The platform event types a channel event reflects (section 3.1). */
export const EVENT_TYPES = [
  'send',
  'deliv',
  'sbounce',
  'hbounce',
  'undeliv',
  'complain',
  'reply',
  'custom',
  'read',
  'click',
  'unsub',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Event types that drive moderation and stopping and need no channel event. */
export const CONTROL_EVENT_TYPES = ['moderate_pass', 'moderate_error', 'stop'] as const;
export type ControlEventType = (typeof CONTROL_EVENT_TYPES)[number];
