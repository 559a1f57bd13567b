/** The keywords that a golden test gives to a run. */
import type { CompiledChannel } from '../engine/compile-channel.ts';
import type { Scope } from '../expression/scope.ts';
import type { GoldenTest } from './golden-test.ts';

/** What ids and times are in a test that names none. */
const MESSAGE_ID = '00000000-0000-7000-8000-000000000001';
const LAUNCH_ID = '00000000-0000-7000-8000-000000000002';
const ACCOUNT_ID = '00000000-0000-7000-8000-00000000000a';
const MAILING_ID = '00000000-0000-7000-8000-00000000000c';
const SENDER_ID = '00000000-0000-7000-8000-00000000000d';
const RESOURCE_ID = '00000000-0000-7000-8000-00000000000e';
const NOW = '2026-01-01T00:00:00.000Z';

export interface GivenWorld {
  readonly keywords: Scope;
  readonly origin: Readonly<Record<string, unknown>>;
  readonly in: Readonly<Record<string, unknown>>;
  /** The message the run belongs to; none for listeners and operations. */
  readonly messageId: string | undefined;
  readonly now: string;
}

/** Field values by group, defaults filled in, content rendered. */
export interface GivenValues {
  readonly template: Readonly<Record<string, unknown>>;
  readonly sender: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly mailing: Readonly<Record<string, unknown>>;
  readonly subscription: Readonly<Record<string, unknown>>;
  readonly account: Readonly<Record<string, unknown>>;
}

/** The time of a test. */
export function timeOf(test: GoldenTest): string {
  return test.given?.now ?? NOW;
}

/** True where the run belongs to a message; what a listener scheduled belongs to none. */
export function ownsMessage({ pipeline, given }: GoldenTest): boolean {
  return pipeline === 'schedule'
    ? given?.message?.template !== undefined || given?.message?.id !== undefined
    : ['message', 'moderate', 'stop'].includes(pipeline);
}

/** The world of a test that is not about a request. */
export function worldOf(channel: CompiledChannel, test: GoldenTest, values: GivenValues): GivenWorld {
  const { given = {} } = test;
  const message = given.message ?? {};
  const { sid, id, communication } = channel.document;
  const messageId = ownsMessage(test) ? (message.id ?? MESSAGE_ID) : undefined;
  const now = timeOf(test);
  const origin = given.origin ?? given.input ?? originOf(messageId);
  const { template, sender, resource, mailing, subscription, account } = values;
  const keywords: Scope = {
    sender: { id: SENDER_ID, sid: 'sender', name: 'Sender', ...sender },
    account: { id: ACCOUNT_ID, name: 'Account', ...account },
    channel: { sid, id },
    now,
    ...(messageId !== undefined && {
      template,
      resource: { id: RESOURCE_ID, sid: 'resource', name: 'Resource', ...resource },
      campaign: { id: MAILING_ID, name: 'Mailing', ...mailing },
      camp_schedule: message.camp_schedule ?? {},
      message: { id: messageId, attempt: 1 },
      ...(communication === 'direct' && { subscription, profile: message.profile ?? {} }),
    }),
  };
  return { keywords, origin, in: given.in === undefined ? origin : withBytes(given.in), messageId, now };
}

/** A body stands as text in a test and as bytes in `$in`. */
function withBytes(input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return typeof input.body === 'string' ? { ...input, body: Buffer.from(input.body) } : input;
}

function originOf(messageId: string | undefined): Readonly<Record<string, unknown>> {
  return messageId === undefined
    ? {}
    : { send_message_id: messageId, launch_id: LAUNCH_ID, a_id: ACCOUNT_ID, c_id: MAILING_ID };
}
