/** What the JSON columns hold: the one thing about a table that its migrations cannot say. The generated tables name these. */
import type { Json } from '../json.ts';

/** Values by the names of fields. */
export type FieldValues = Readonly<Record<string, unknown>>;

/** When a mailing starts and stops: as it was written, and the moments that were meant. */
export interface MailingSchedule {
  readonly startAt?: string;
  readonly stopAt?: string;
  readonly timeZone?: string;
  readonly startAtUtc?: string;
  readonly stopAtUtc?: string;
}

/** A rule as an admin writes it; senders are named by their sids. */
export interface SenderRule {
  readonly name: string;
  /** A filter; without one the rule fits every message. */
  readonly when?: FieldValues;
  readonly senders: readonly { readonly sender: string; readonly weight?: number }[];
  readonly fallback?: readonly string[];
  readonly fallbackOn?: readonly (string | number)[];
}

/** A request that was refused, without its body and without headers that hold secrets. */
export interface RefusedSample {
  /** ISO 8601. */
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

export interface JsonColumns {
  readonly 'attempt.trail': unknown;
  readonly 'audit.before': unknown;
  readonly 'audit.after': unknown;
  readonly 'connector.fields': FieldValues;
  readonly 'content_item.tags': readonly string[];
  readonly 'content_item.synced': unknown;
  /** With its secrets sealed. */
  readonly 'content_source.config': FieldValues;
  readonly 'content_source.mappings': Readonly<Record<string, string | readonly string[]>>;
  readonly 'content_source.last_sync': unknown;
  readonly 'content_source.sync': unknown;
  readonly 'listener_request.registered': readonly string[];
  readonly 'refused_request.samples': readonly RefusedSample[];
  readonly 'content_version.content': FieldValues;
  readonly 'content_version.blocks': readonly unknown[];
  readonly 'content_version.personalization': readonly unknown[];
  readonly 'event.value': unknown;
  readonly 'lane.fault': unknown;
  readonly 'launch.content': FieldValues;
  readonly 'launch.fields': FieldValues;
  readonly 'launch.audience': FieldValues;
  readonly 'mailing.content': FieldValues;
  readonly 'mailing.fields': FieldValues;
  readonly 'mailing.audience': FieldValues;
  readonly 'mailing.schedule': MailingSchedule;
  readonly 'message.content': Json;
  readonly 'operator_event.data': FieldValues;
  readonly 'parked_event.event': FieldValues;
  readonly 'profile.fields': FieldValues;
  readonly 'provider_config.fields': FieldValues;
  /** Values of resource fields by the sid of their channel. */
  readonly 'resource.channels': Readonly<Record<string, FieldValues>>;
  readonly 'sender.fields': FieldValues;
  readonly 'sender_rules.rules': readonly SenderRule[];
  /** As they were checked when they were saved. */
  readonly 'sending_rules.rules': Json;
  readonly 'subscription.fields': FieldValues;
  readonly 'template.values': FieldValues;
  /** `current` and perhaps `previous`, sealed. */
  readonly 'webhook.secrets': FieldValues;
}
