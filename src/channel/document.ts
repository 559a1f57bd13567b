/**
 * The types of a channel document (channel format, section 3) after it was checked and its pipelines were
 * brought in. A checked document is frozen and never changes: a change is a new version.
 */
import type { Json } from '../json.ts';
import type { RateLimit } from '../pipes/contract.ts';

export type ChannelKind = 'built_in' | 'system' | 'custom';
export type Communication = 'direct' | 'indirect';
export type MailingType = 'regular' | 'trigger' | 'placement';

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

export interface ChannelEvent {
  readonly sid: string;
  readonly id: number;
  readonly name: string;
  readonly color: string;
  readonly type: EventType;
}

export const FIELD_GROUPS = ['template', 'resource', 'mailing', 'sender', 'subscription', 'account'] as const;
export type FieldGroup = (typeof FIELD_GROUPS)[number];

export const FIELD_TYPES = [
  'int',
  'number',
  'string',
  'bool',
  'json',
  'text',
  'html',
  'file',
  'enum',
  'color',
  'datetime',
  'url',
  'entity',
] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** A data field or entity field of a group. */
export interface Field {
  readonly field: string;
  readonly type: FieldType;
  readonly name: string;
  readonly required?: boolean;
  readonly default?: Json;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly min?: number;
  readonly max?: number;
  readonly min_length?: number;
  readonly max_length?: number;
  readonly pattern?: string;
  readonly options?: readonly { readonly value: string | number; readonly label: string }[];
  readonly multiple?: boolean;
  readonly accept?: string;
  readonly max_size?: number;
  readonly secret?: boolean;
  readonly liquid?: boolean;
  readonly entity?: string;
}

export interface LayoutElement {
  readonly type: 'header' | 'message' | 'divider';
  readonly text?: string;
}

export type FieldElement = Field | LayoutElement;
/** One element, or 1 to 4 columns. */
export type FieldRow = FieldElement | readonly FieldElement[];

export interface PipeDocument {
  readonly id: number;
  readonly type: string;
  readonly params?: { readonly [name: string]: Json };
  readonly outs?: { readonly success?: number; readonly error?: number };
  readonly note?: string;
}

export type PipelineDocument = readonly PipeDocument[];

/** The pipelines of a channel, besides those of its operations. */
export const PIPELINE_NAMES = ['message', 'schedule', 'listener', 'moderate', 'stop'] as const;
export type PipelineName = (typeof PIPELINE_NAMES)[number];

export interface EntityOperation {
  readonly sid: string;
  readonly name: string;
  readonly input?: readonly FieldRow[];
  readonly pipeline: PipelineDocument;
}

export interface Entity {
  readonly sid: string;
  readonly name: string;
  readonly fields: readonly FieldRow[];
  readonly primary: string;
  readonly preview?: string;
  readonly operations: readonly EntityOperation[];
}

export interface ListenerAnswer {
  readonly status?: number;
  readonly content_type?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Verification {
  readonly type: 'hmac' | 'ed25519' | 'rsa' | 'token' | 'basic' | 'standard_webhooks';
  readonly algorithm?: string;
  readonly encoding?: 'hex' | 'base64' | 'base64url';
  readonly header?: string;
  readonly prefix?: string;
  /** With `{timestamp}`, `{body}`, `{id}`, `{url}`, `{method}`, `{header:name}`. */
  readonly signed?: string;
  readonly timestamp_header?: string;
  /** Seconds. */
  readonly tolerance?: number;
  readonly secrets?: readonly string[];
  readonly username?: string;
}

export interface Listener {
  readonly response?: ListenerAnswer | string;
  readonly responses?: readonly (ListenerAnswer & { readonly when: string })[];
  readonly verify?: Verification;
  readonly dedupe?: string;
  readonly answer?: 'result';
}

export interface ChannelDocument {
  readonly sid: string;
  readonly id: number;
  readonly name: string;
  readonly description?: string;
  readonly type: string;
  readonly kind: ChannelKind;
  readonly communication: Communication;
  readonly mailing_types: readonly MailingType[];
  readonly moderate: boolean;
  readonly icon?: string;
  readonly events: readonly ChannelEvent[];
  readonly fields: { readonly [G in FieldGroup]?: readonly FieldRow[] };
  /** Set for built-in channels instead of pipelines. */
  readonly module?: string;
  readonly pipelines: { readonly [N in PipelineName]?: PipelineDocument };
  readonly entities: readonly Entity[];
  readonly listener?: Listener;
  readonly delivery: { readonly mode: 'pipeline' | 'api' | 'file' | 'manual' };
  readonly limits?: RateLimit;
  /** What is isolated from what: one lane per sender, account, resource, or for the whole channel. */
  readonly lane: 'sender' | 'account' | 'resource' | 'channel';
  readonly unknown: 'hold' | 'retry' | 'fail';
  /** Content type → { template field: content key } (content-and-modes, section 2). */
  readonly content?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The data fields of a group, layout left out. */
export function fieldsOf(rows: readonly FieldRow[] | undefined): readonly Field[] {
  return (rows ?? []).flatMap((row) => (Array.isArray(row) ? row : [row])).filter((each): each is Field => 'field' in each);
}
