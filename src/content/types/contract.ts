/** What a content type is: one object in one file, from which come the checks, the API's schemas and the docs. */
import type { JsonObject } from '../../json.ts';

export const CHANNEL_TYPES = [
  'email_html',
  'push_notification',
  'sms_text',
  'in_app_modal',
  'banner',
  'content_card',
  'whatsapp_template',
  'webhook_json',
] as const;

export type ChannelType = (typeof CHANNEL_TYPES)[number];

/** What an item holds, by the keys of its type. */
export type Content = Readonly<Record<string, unknown>>;

/** One thing to know about an item's content. */
export interface ContentFinding {
  /** An error keeps it from being saved and published; a warning does not; info only says how it is. */
  readonly severity: 'error' | 'warning' | 'info';
  /** Kebab-case, stable. */
  readonly code: string;
  /** RFC 6901, into `content`. */
  readonly pointer: string;
  readonly message: string;
  /** What was measured, for programs. */
  readonly facts?: JsonObject;
}

/** Whether Liquid may still stand in the texts (`saved`), or they are what a customer gets (`rendered`). */
export type ContentStage = 'saved' | 'rendered';

export interface ContentType {
  readonly name: ChannelType;
  /** One sentence. */
  readonly summary: string;
  /** JSON Schema of `content`. */
  readonly schema: JsonObject;
  /** How the text at a path is personalized, or undefined if it never is. */
  readonly personalizable: (path: readonly string[]) => 'text' | 'html' | undefined;
  /** What the schema cannot say; it is called only with content that keeps the schema. */
  readonly check: (content: Content, stage: ContentStage) => readonly ContentFinding[];
}

/** Declares a content type. */
export function defineType(declared: ContentType): ContentType {
  return Object.freeze(declared);
}
