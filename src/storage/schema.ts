/**
 * The tables, generated from the migrations by `npm run reference`: not edited by hand. A JSON column has the type that
 * json-columns.ts declares for it.
 */
import { json, jsonb, timestamptz, tsvector } from './column-types.ts';
import { bigint, boolean, doublePrecision, integer, pgTable, smallint, sql, text, uuid } from './drizzle.ts';
import type { JsonColumns } from './json-columns.ts';

export const account = pgTable('account', {
  id: uuid().notNull(), name: text().notNull(), created_at: timestamptz().notNull(),
});
export const appUser = pgTable('app_user', {
  id: uuid().notNull(), account_id: uuid().notNull(), email: text().notNull(), name: text().notNull(),
  role: text({ enum: ['viewer', 'editor', 'admin'] }).notNull(), password_hash: text(),
  status: text({ enum: ['active', 'disabled'] }).notNull().default('active'),
  failed_sign_ins: integer().notNull().default(0), locked_until: timestamptz(), created_at: timestamptz().notNull(),
  updated_at: timestamptz().notNull(),
});
export const attempt = pgTable('attempt', {
  id: uuid().notNull(), account_id: uuid().notNull(), message_id: uuid().notNull(), number: smallint().notNull(),
  outcome: text().notNull(), trail: json<JsonColumns['attempt.trail']>().notNull(), sender_id: uuid(),
});
export const audit = pgTable('audit', {
  id: uuid().notNull(), account_id: uuid().notNull(), token_id: uuid(), action: text().notNull(),
  subject: text().notNull(), before: json<JsonColumns['audit.before']>(), after: json<JsonColumns['audit.after']>(),
  at: timestamptz().notNull(), user_id: uuid(),
});
export const channel = pgTable('channel', {
  id: integer().notNull(), sid: text().notNull(), kind: text({ enum: ['built_in', 'system', 'custom'] }).notNull(),
  account_id: uuid(), status: text({ enum: ['draft', 'active', 'paused', 'archived'] }).notNull().default('active'),
  version_id: integer().notNull(), created_at: timestamptz().notNull(), updated_at: timestamptz().notNull(),
  deleted_at: timestamptz(),
});
export const channelVersion = pgTable('channel_version', {
  id: integer().notNull().generatedAlwaysAsIdentity(), channel_id: integer().notNull(), version: integer().notNull(),
  document: text().notNull(), hash: text().notNull(), created_at: timestamptz().notNull(),
});
export const connector = pgTable('connector', {
  id: uuid().notNull(), account_id: uuid().notNull(), sid: text().notNull(), name: text().notNull(),
  fields: jsonb<JsonColumns['connector.fields']>().notNull(), created_at: timestamptz().notNull(),
  updated_at: timestamptz().notNull(),
});
export const contact = pgTable('contact', {
  message_id: uuid().notNull(), account_id: uuid().notNull(), profile_id: uuid().notNull(),
  channel_id: integer().notNull(), category: text().notNull(), at: timestamptz().notNull(),
});
export const contentHistory = pgTable('content_history', {
  id: uuid().notNull(), item_id: uuid().notNull(), account_id: uuid().notNull(), call: text().notNull(),
  from_status: text(), to_status: text().notNull(), version: integer().notNull(), by_user: uuid(), note: text(),
  at: timestamptz().notNull(),
});
export const contentItem = pgTable('content_item', {
  id: uuid().notNull(), account_id: uuid().notNull(), name: text().notNull(), description: text(),
  channel_type: text().notNull(),
  status: text({ enum: ['draft', 'in_review', 'approved', 'published', 'archived'] }).notNull(),
  tags: json<JsonColumns['content_item.tags']>().notNull(), is_template: boolean().notNull(),
  parent_template_id: uuid(), source_type: text().notNull(), source_id: uuid(), external_id: text(),
  version: integer().notNull(), newest_version: integer().notNull(), published_version: integer(),
  published_at: timestamptz(), submitted_by: uuid(), submitted_version: integer(), submitted_at: timestamptz(),
  approved_by: uuid(), approved_version: integer(), approved_at: timestamptz(),
  synced: json<JsonColumns['content_item.synced']>(), synced_version: integer(), conflict: text(),
  revision: integer().notNull(), search: tsvector().notNull(), created_at: timestamptz().notNull(),
  updated_at: timestamptz().notNull(),
});
export const contentSource = pgTable('content_source', {
  id: uuid().notNull(), account_id: uuid().notNull(), name: text().notNull(), provider: text().notNull(),
  config: jsonb<JsonColumns['content_source.config']>().notNull(),
  sync_mode: text({ enum: ['webhook', 'polling'] }).notNull(), sync_interval_minutes: integer(),
  auto_publish: boolean().notNull(), mappings: json<JsonColumns['content_source.mappings']>().notNull(),
  channel_type: text().notNull(), status: text({ enum: ['active', 'paused'] }).notNull(),
  failures: integer().notNull(), last_error: text(), last_sync_at: timestamptz(), last_full_at: timestamptz(),
  last_sync: json<JsonColumns['content_source.last_sync']>(), sync_id: uuid(),
  sync: json<JsonColumns['content_source.sync']>(), blocked_until: timestamptz(), created_at: timestamptz().notNull(),
  updated_at: timestamptz().notNull(),
});
export const contentSourceEntry = pgTable('content_source_entry', {
  source_id: uuid().notNull(), external_id: text().notNull(), id: uuid().notNull(), seen_at: timestamptz().notNull(),
  changed_at: timestamptz(), kept_at: timestamptz(), gone: boolean().notNull().default(false), problem: text(),
  kept: boolean().notNull(),
});
export const contentVersion = pgTable('content_version', {
  item_id: uuid().notNull(), version: integer().notNull(), account_id: uuid().notNull(), name: text().notNull(),
  content: json<JsonColumns['content_version.content']>().notNull(),
  blocks: json<JsonColumns['content_version.blocks']>(),
  personalization: json<JsonColumns['content_version.personalization']>(), changed_by: uuid(), change_note: text(),
  created_at: timestamptz().notNull(),
});
export const event = pgTable('event', {
  id: uuid().notNull(), account_id: uuid().notNull(), message_id: uuid().notNull(), channel_id: integer().notNull(),
  launch_id: uuid(), event_id: integer(), type: text().notNull(), attempt: smallint().notNull(),
  time: timestamptz().notNull(), external_id: text(), code: text(), text: text(),
  value: json<JsonColumns['event.value']>(),
});
export const externalId = pgTable('external_id', {
  channel_id: integer().notNull(), external_id: text().notNull(), message_id: uuid().notNull(),
  attempt: smallint().notNull(),
});
export const idempotency = pgTable('idempotency', {
  account_id: uuid().notNull(), key: text().notNull(), hash: text().notNull(), status: smallint(), answer: text(),
  created_at: timestamptz().notNull(), holder: uuid(), beat: integer().notNull().default(0), failure: text(),
});
export const lane = pgTable('lane', {
  id: integer().notNull().generatedAlwaysAsIdentity(), key: text().notNull(), account_id: uuid(),
  channel_id: integer().notNull(), sender_id: uuid(), paused_at: timestamptz(),
  breaker: text({ enum: ['closed', 'open', 'half_open'] }).notNull().default('closed'), opened_at: timestamptz(),
  probe_at: timestamptz(), times_opened: integer().notNull().default(0), fault: json<JsonColumns['lane.fault']>(),
  epoch: integer().notNull().default(0), created_at: timestamptz().notNull(), held_until: timestamptz(),
});
export const launch = pgTable('launch', {
  id: uuid().notNull(), mailing_id: uuid().notNull(), account_id: uuid().notNull(), number: integer().notNull(),
  kind: text({ enum: ['real', 'test', 'moderation'] }).notNull(), channel_version_id: integer().notNull(),
  sender_id: uuid(), resource_id: uuid().notNull(), content: json<JsonColumns['launch.content']>().notNull(),
  fields: json<JsonColumns['launch.fields']>().notNull(), audience: json<JsonColumns['launch.audience']>().notNull(),
  class: text().notNull(), opened_to: uuid(), opened: integer().notNull().default(0), opening: boolean().notNull(),
  state: text({ enum: ['sending', 'paused', 'stopped', 'finished'] }).notNull(), started_at: timestamptz().notNull(),
  finished_at: timestamptz(), category: text(), expected: integer(), withdrawing: boolean().notNull().default(false),
  withdrawn_to: uuid(), content_item_id: uuid(), content_version: integer(),
});
export const launchChange = pgTable('launch_change', {
  launch_id: uuid().notNull(), state: smallint().notNull(), change: integer().notNull(), at: timestamptz().notNull(),
});
export const launchCount = pgTable('launch_count', {
  launch_id: uuid().notNull(), state: smallint().notNull(), count: integer().notNull(),
});
export const listenerRequest = pgTable('listener_request', {
  id: uuid().notNull(), account_id: uuid(), channel_id: integer().notNull(), channel_version_id: integer().notNull(),
  lane_id: integer().notNull(), pipeline: smallint().notNull(), pipe: integer(),
  state: text({ enum: ['failed', 'running', 'done'] }).notNull(), reason: text().notNull(), message: text().notNull(),
  runs: integer().notNull(), payload: text().notNull(),
  registered: json<JsonColumns['listener_request.registered']>().notNull(), received_at: timestamptz().notNull(),
  failed_at: timestamptz().notNull(), announced: boolean().notNull(),
});
export const mailing = pgTable('mailing', {
  id: uuid().notNull(), account_id: uuid().notNull(), name: text().notNull(), channel_id: integer().notNull(),
  sender_id: uuid(), resource_id: uuid().notNull(), content: json<JsonColumns['mailing.content']>().notNull(),
  fields: json<JsonColumns['mailing.fields']>().notNull(),
  audience: json<JsonColumns['mailing.audience']>().notNull(), schedule: json<JsonColumns['mailing.schedule']>(),
  class: text().notNull(),
  state: text({ enum: ['draft', 'scheduled', 'moderating', 'sending', 'paused', 'stopped', 'finished'] }).notNull(),
  state_reason: text(), created_at: timestamptz().notNull(), updated_at: timestamptz().notNull(), category: text(),
  type: text({ enum: ['regular', 'trigger', 'placement'] }).notNull().default('regular'), content_item_id: uuid(),
});
export const message = pgTable('message', {
  id: uuid().notNull(), account_id: uuid().notNull(), channel_id: integer().notNull(),
  channel_version_id: integer().notNull(), lane_id: integer().notNull(), launch_id: uuid(), profile_id: uuid(),
  subscription_id: uuid(), resource_id: uuid().notNull(), sender_id: uuid(), state: smallint().notNull(),
  attempt: smallint().notNull().default(1), reason: text(), external_id: text(), class: text().notNull(),
  content: json<JsonColumns['message.content']>(), expires_at: timestamptz(), updated_at: timestamptz().notNull(),
  route_id: integer(), prior: smallint(),
});
export const node = pgTable('node', {
  id: integer().notNull().generatedAlwaysAsIdentity(), name: text().notNull(), started_at: timestamptz().notNull(),
  heartbeat_at: timestamptz().notNull(),
});
export const operatorEvent = pgTable('operator_event', {
  id: uuid().notNull(), account_id: uuid(), type: text().notNull(),
  data: json<JsonColumns['operator_event.data']>().notNull(), at: timestamptz().notNull(),
});
export const parkedEvent = pgTable('parked_event', {
  id: uuid().notNull(), channel_id: integer().notNull(), sender_id: uuid(), account_id: uuid(), external_id: text(),
  message_id: uuid(), event: json<JsonColumns['parked_event.event']>().notNull(), parked_at: timestamptz().notNull(),
});
export const profile = pgTable('profile', {
  id: uuid().notNull(), account_id: uuid().notNull(), external_id: text().notNull(),
  fields: jsonb<JsonColumns['profile.fields']>().notNull(), created_at: timestamptz().notNull(),
  updated_at: timestamptz().notNull(),
});
export const providerConfig = pgTable('provider_config', {
  account_id: uuid().notNull(), channel_id: integer().notNull(),
  fields: jsonb<JsonColumns['provider_config.fields']>().notNull(), updated_at: timestamptz().notNull(),
});
export const rateHolder = pgTable('rate_holder', {
  key: text().notNull(), holder: text().notNull(), requests: integer().notNull(),
  window_ms: doublePrecision().notNull(), taken: integer().notNull(), lease_ms: doublePrecision().notNull(),
});
export const rateLimit = pgTable('rate_limit', {
  key: text().notNull(), requests: integer().notNull(), window_ms: doublePrecision().notNull(),
  cooling: integer().array().notNull(), slot: doublePrecision().notNull(),
  pace_ms: doublePrecision().notNull().default(0), held_ms: doublePrecision().notNull().default(0),
  seen_ms: doublePrecision().notNull(),
});
export const refusedRequest = pgTable('refused_request', {
  channel_id: integer().notNull(), reason: text().notNull(), count: bigint({ mode: 'number' }).notNull(),
  last_at: timestamptz().notNull(), samples: json<JsonColumns['refused_request.samples']>().notNull(),
});
export const resource = pgTable('resource', {
  id: uuid().notNull(), account_id: uuid().notNull(), sid: text().notNull(), name: text().notNull(),
  channels: jsonb<JsonColumns['resource.channels']>().notNull(), created_at: timestamptz().notNull(),
  updated_at: timestamptz().notNull(),
});
export const schemaVersion = pgTable('schema_version', {
  version: integer().notNull(), applied_at: timestamptz().notNull().default(sql`now()`),
  breaking: boolean().notNull().default(true),
});
export const seen = pgTable('seen', {
  scope: text().notNull(), key: text().notNull(), seen_at: timestamptz().notNull(),
});
export const sender = pgTable('sender', {
  id: uuid().notNull(), account_id: uuid().notNull(), sid: text().notNull(), name: text().notNull(),
  channel_id: integer().notNull(), fields: jsonb<JsonColumns['sender.fields']>().notNull(),
  created_at: timestamptz().notNull(), updated_at: timestamptz().notNull(),
});
export const senderRoute = pgTable('sender_route', {
  id: integer().notNull().generatedAlwaysAsIdentity(), account_id: uuid().notNull(), channel_id: integer().notNull(),
  name: text().notNull(), fallback: uuid().array().notNull(), fallback_on: text().array().notNull(),
});
export const senderRules = pgTable('sender_rules', {
  account_id: uuid().notNull(), channel_id: integer().notNull(),
  rules: json<JsonColumns['sender_rules.rules']>().notNull(), routes: integer().array().notNull(),
  updated_at: timestamptz().notNull(),
});
export const sendingRules = pgTable('sending_rules', {
  account_id: uuid().notNull(), rules: json<JsonColumns['sending_rules.rules']>().notNull(),
  updated_at: timestamptz().notNull(),
});
export const setting = pgTable('setting', {
  key: text().notNull(), value: text().notNull(),
});
export const storeRecord = pgTable('store_record', {
  account_id: uuid().notNull(), channel_id: integer().notNull(), table_name: text().notNull(), key: text().notNull(),
  value: text().notNull(), expires_at: timestamptz().notNull(),
});
export const subscription = pgTable('subscription', {
  id: uuid().notNull(), account_id: uuid().notNull(), profile_id: uuid().notNull(), resource_id: uuid().notNull(),
  channel_id: integer().notNull(), fields: jsonb<JsonColumns['subscription.fields']>().notNull(),
  status: text({ enum: ['subscribed', 'unsubscribed', 'hard_bounced'] }).notNull(), status_reason: text(),
  created_at: timestamptz().notNull(), updated_at: timestamptz().notNull(),
});
export const suppression = pgTable('suppression', {
  id: uuid().notNull(), account_id: uuid().notNull(), key: text().notNull(), address: text(), channel_id: integer(),
  resource_id: uuid(), reason: text().notNull(), source: text({ enum: ['event', 'api', 'import'] }).notNull(),
  message_id: uuid(), created_at: timestamptz().notNull(), expires_at: timestamptz(),
});
export const template = pgTable('template', {
  id: uuid().notNull(), account_id: uuid().notNull(), sid: text().notNull(), name: text().notNull(),
  channel_id: integer().notNull(), version: integer().notNull(),
  values: json<JsonColumns['template.values']>().notNull(), created_at: timestamptz().notNull(),
  updated_at: timestamptz().notNull(),
});
export const token = pgTable('token', {
  id: uuid().notNull(), account_id: uuid().notNull(), name: text().notNull(),
  role: text({ enum: ['viewer', 'editor', 'admin'] }).notNull(), hash: text().notNull(),
  created_at: timestamptz().notNull(), expires_at: timestamptz(), revoked_at: timestamptz(),
  user_id: uuid().notNull(), kind: text({ enum: ['api', 'session'] }).notNull().default('api'),
});
export const triggerKey = pgTable('trigger_key', {
  launch_id: uuid().notNull(), target_id: uuid().notNull(), key: text().notNull(), message_id: uuid().notNull(),
});
export const waiting = pgTable('waiting', {
  id: uuid().notNull(), account_id: uuid(), lane_id: integer().notNull(), due_at: timestamptz().notNull(),
  owner: integer(), pipeline: smallint().notNull(), pipe: integer(), tries: smallint().notNull().default(0),
  message_id: uuid(), channel_version_id: integer().notNull(), payload: text(),
});
export const webhook = pgTable('webhook', {
  id: uuid().notNull(), account_id: uuid().notNull(), url: text().notNull(), events: text().array().notNull(),
  secrets: jsonb<JsonColumns['webhook.secrets']>().notNull(), previous_until: timestamptz(),
  status: text({ enum: ['active', 'disabled'] }).notNull().default('active'), status_reason: text(),
  lane_id: integer().notNull(), failing_since: timestamptz(), created_at: timestamptz().notNull(),
  updated_at: timestamptz().notNull(),
});
export const webhookDelivery = pgTable('webhook_delivery', {
  id: uuid().notNull(), webhook_id: uuid().notNull(), event_id: uuid().notNull(),
  state: text({ enum: ['delivered', 'waiting', 'failed'] }).notNull(), attempts: smallint().notNull(),
  status: smallint(), error: text(), excerpt: text(), at: timestamptz().notNull(), next_at: timestamptz(),
});
