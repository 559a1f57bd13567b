/**
 * The types of a channel document (channel format, section 3) after it was checked and its pipelines were
 * brought in. A checked document is frozen and never changes: a change is a new version.
 */
import type { Json } from '../json.ts';
import type { RateLimit } from '../pipes/contract.ts';
import type { EventType } from '../pipes/event-types.ts';

export type ChannelKind = 'built_in' | 'system' | 'custom';
export type Communication = 'direct' | 'indirect';
export type MailingType = 'regular' | 'trigger' | 'placement';

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
  /** Text with templates, or a JSON value that is built structurally and serialised. */
  readonly body?: Json;
  /** Values with templates. */
  readonly headers?: Readonly<Record<string, string>>;
}

export const VERIFICATION_TYPES = [
  'hmac',
  'ed25519',
  'rsa',
  'ecdsa',
  'token',
  'basic',
  'standard_webhooks',
] as const;
export type VerificationType = (typeof VERIFICATION_TYPES)[number];

/** Providers whose way of signing is known by name (src/flows/listener/presets.ts). */
export const VERIFICATION_PRESETS = [
  'discord',
  'github',
  'gitlab',
  'line',
  'mailgun',
  'mandrill',
  'meta',
  'sendgrid',
  'shopify',
  'slack',
  'standard_webhooks',
  'stripe',
  'svix',
  'telegram',
  'telnyx',
  'twilio',
  'viber',
] as const;
export type VerificationPreset = (typeof VERIFICATION_PRESETS)[number];

export interface Verification {
  /** Fills in what is usual for a provider; members written beside it win. */
  readonly preset?: VerificationPreset;
  /** Required without `preset`. */
  readonly type?: VerificationType;
  readonly algorithm?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  readonly encoding?: 'hex' | 'base64' | 'base64url';
  /** Where the signature or token stands: exactly one of `header`, `query` and `body`. */
  readonly header?: string;
  readonly query?: string;
  /** A path into the parsed body: `signature.signature`, `items.%0.token`. */
  readonly body?: string;
  /** Splits the value into parts, as in `t=1,v1=ab,v1=cd`. */
  readonly separator?: string;
  /** Only parts that begin with it are signatures; it is taken off. */
  readonly prefix?: string;
  /**
   * What was signed, with `{body}`, `{timestamp}`, `{id}`, `{url}`, `{url:with_port}`, `{url:without_port}`, `{path}`,
   * `{query}`, `{method}`, `{params}` (form fields of the body, sorted, names and values joined), `{header:name}` and
   * `{body:path}`. A list: any of them.
   */
  readonly signed?: string | readonly string[];
  readonly id_header?: string;
  /** Where the timestamp stands: a header, the part of the signature with this prefix, or a path into the body. */
  readonly timestamp_header?: string;
  readonly timestamp_prefix?: string;
  readonly timestamp_body?: string;
  readonly timestamp_format?: 'seconds' | 'milliseconds' | 'iso';
  /** Seconds into the past and the future; left out: the timestamp is not compared with the clock. */
  readonly tolerance?: number;
  /** Templates over `$sender` and `$account`: shared secrets, public keys, tokens or passwords. */
  readonly secrets?: readonly string[];
  /** How a shared secret is written down; `text` is the default. */
  readonly secret_encoding?: 'text' | 'hex' | 'base64';
  /** For `basic`: a template over `$sender` and `$account`. */
  readonly username?: string;
  /** The query name that carries the SHA-256 of the body in hex, where only the address is signed. */
  readonly body_hash_query?: string;
}

/** An answer given at once, without a run. */
export interface EarlyAnswer extends ListenerAnswer {
  /** JSONata; holds where it gives `true`. */
  readonly when: string;
  /** Holds only for a request that passes `verify`; false by default: handshakes come unsigned. */
  readonly verified?: boolean;
}

export interface Listener {
  readonly response?: ListenerAnswer | string;
  readonly responses?: readonly EarlyAnswer[];
  readonly verify?: Verification;
  readonly dedupe?: string;
  readonly answer?: 'result';
}

/** What an event does to the address of its message. */
export interface SuppressRule {
  /** global: nothing is sent to it in this channel any more. list: nothing of the resource. */
  readonly scope: 'global' | 'list';
  /** For so many days; left out: for good. */
  readonly days?: number;
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
  /** The subscription field that is the address; left out: the first required one. */
  readonly address?: string;
  /** Event sid or platform type → what it does to the address; left out: USUAL_SUPPRESSION (address.ts). */
  readonly suppress?: Readonly<Record<string, SuppressRule>>;
  /** Content type → { template field: content key } (content-and-modes, section 2). */
  readonly content?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The data fields of a group, layout left out. */
export function fieldsOf(rows: readonly FieldRow[] | undefined): readonly Field[] {
  return (rows ?? [])
    .flatMap((row) => (Array.isArray(row) ? row : [row]))
    .filter((each): each is Field => 'field' in each);
}
