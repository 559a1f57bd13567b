/**
 * How the demo's provider treats a number, by its last two digits. The provider and the check of the demo's counts both
 * read this table, and the provider's own log is compared with it too.
 */
export interface Behaviour {
  /** What the first request is answered with. */
  readonly send: 'accept' | 'reject' | 'busy_once';
  /** What the delivery report says; none after a rejection. */
  readonly report: 'delivered' | 'undelivered' | 'no_such_number' | undefined;
  /** Whether the person clicks, after the delivery. */
  readonly clicks: boolean;
  /** Whether the report comes a second time, as providers do. */
  readonly repeats: boolean;
}

/** The behaviour of a number. */
export function behaviourOf(phone: string): Behaviour {
  const digits = Number(phone.slice(-2));
  if (digits < 4) return { send: 'reject', report: undefined, clicks: false, repeats: false };
  if (digits < 10) return { send: 'accept', report: 'no_such_number', clicks: false, repeats: false };
  if (digits < 18) return { send: 'accept', report: 'undelivered', clicks: false, repeats: false };
  const send = digits < 30 ? 'busy_once' : 'accept';
  return { send, report: 'delivered', clicks: digits % 5 === 0, repeats: digits % 10 === 7 };
}
