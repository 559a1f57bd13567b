/** A message as requested, while it waits for its checks, and after it has passed them. */
import type { LaunchRow } from '../../storage/launches.ts';
import type { SenderRulesRow } from '../../storage/sender-rules.ts';
import type { ContentUse } from './content-items.ts';
import { refused } from './find-channel.ts';
import type { KnownChannel } from './known-channel.ts';

export const MESSAGE_CLASSES = ['transactional', 'marketing', 'urgent'] as const;
export type MessageClass = (typeof MESSAGE_CLASSES)[number];

/** A message as a caller asks for it. */
export interface MessageRequest {
  readonly channel: string;
  readonly sender?: string;
  readonly resource?: string;
  readonly profile?:
    | string
    | {
        readonly externalId: string;
        readonly fields?: Readonly<Record<string, unknown>>;
        readonly subscription?: { readonly fields?: Readonly<Record<string, unknown>> };
      };
  /** Either values of the template fields or the sid of a template, or a content item. */
  readonly template?: string | Readonly<Record<string, unknown>>;
  readonly contentItemId?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly expiresAt?: string;
  readonly class?: MessageClass;
  /** What frequency caps count it as; its class where it is left out. */
  readonly category?: string;
}

/** A request of an account, and the id that its message gets. */
export interface PendingMessage {
  readonly accountId: string;
  readonly id: string;
  readonly request: MessageRequest;
  /** The launch of a trigger mailing that it belongs to: only profile and attributes are its own then. */
  readonly trigger?: { readonly launch: LaunchRow; readonly dedupeKey: string | null };
}

/** A request whose channel, sender and resource are known and whose values fit. */
export interface PreparedMessage extends PendingMessage {
  readonly channel: KnownChannel;
  readonly messageClass: MessageClass;
  /** The rules that choose sender and lane, where the request names no sender and there are any. */
  readonly rules: SenderRulesRow | undefined;
  readonly senderId: string | null;
  readonly resourceId: string;
  readonly laneId: number;
  /** Checked values of the template fields, or the version of a content item; neither: those of its launch. */
  readonly content:
    | { readonly values: Readonly<Record<string, unknown>> }
    | { readonly use: ContentUse }
    | { readonly ofLaunch: true };
  /** Checked subscription fields of an inline profile. */
  readonly subscriptionFields: Readonly<Record<string, unknown>> | undefined;
  /** Names of the secret ones among them. */
  readonly secret: ReadonlySet<string>;
}

/** Throws REQUEST_INVALID unless exactly one of the two ways to name content is used. */
export function refuseBoth(template: unknown, contentItemId: string | undefined): void {
  if (template !== undefined && contentItemId !== undefined) {
    throw refused('/contentItemId', 'Give either "template" or "contentItemId", not both.');
  }
  if (template === undefined && contentItemId === undefined) {
    throw refused('/template', 'Give the content: either "template" or "contentItemId".');
  }
}
