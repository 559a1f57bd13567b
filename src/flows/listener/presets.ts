/**
 * How well-known providers sign, by the name an author writes in `preset`, and what each type assumes.
 * A preset has a tolerance only where the provider asks for one; elsewhere late repeats must not be lost, and `dedupe`
 * is what stops a replay.
 */
import type { Verification, VerificationPreset, VerificationType } from '../../channel/document.ts';

type Preset = Verification & { readonly type: VerificationType };

export const PRESETS: { readonly [P in VerificationPreset]: Preset } = {
  discord: {
    type: 'ed25519',
    header: 'x-signature-ed25519',
    timestamp_header: 'x-signature-timestamp',
    signed: '{timestamp}{body}',
    encoding: 'hex',
  },
  github: { type: 'hmac', header: 'x-hub-signature-256', prefix: 'sha256=' },
  gitlab: { type: 'token', header: 'x-gitlab-token' },
  line: { type: 'hmac', header: 'x-line-signature', encoding: 'base64' },
  // Mailgun signs a timestamp and a token, never the event: use `"dedupe": "$in.data.signature.token"` against replays.
  mailgun: {
    type: 'hmac',
    body: 'signature.signature',
    timestamp_body: 'signature.timestamp',
    signed: '{timestamp}{body:signature.token}',
  },
  mandrill: {
    type: 'hmac',
    header: 'x-mandrill-signature',
    algorithm: 'sha1',
    encoding: 'base64',
    signed: '{url}{params}',
  },
  meta: { type: 'hmac', header: 'x-hub-signature-256', prefix: 'sha256=' },
  sendgrid: {
    type: 'ecdsa',
    header: 'x-twilio-email-event-webhook-signature',
    timestamp_header: 'x-twilio-email-event-webhook-timestamp',
    signed: '{timestamp}{body}',
  },
  shopify: { type: 'hmac', header: 'x-shopify-hmac-sha256', encoding: 'base64' },
  slack: {
    type: 'hmac',
    header: 'x-slack-signature',
    prefix: 'v0=',
    timestamp_header: 'x-slack-request-timestamp',
    signed: 'v0:{timestamp}:{body}',
    tolerance: 300,
  },
  standard_webhooks: { type: 'standard_webhooks' },
  stripe: {
    type: 'hmac',
    header: 'stripe-signature',
    separator: ',',
    prefix: 'v1=',
    timestamp_prefix: 't=',
    signed: '{timestamp}.{body}',
    tolerance: 300,
  },
  svix: {
    type: 'standard_webhooks',
    header: 'svix-signature',
    id_header: 'svix-id',
    timestamp_header: 'svix-timestamp',
  },
  telegram: { type: 'token', header: 'x-telegram-bot-api-secret-token' },
  telnyx: {
    type: 'ed25519',
    header: 'telnyx-signature-ed25519',
    timestamp_header: 'telnyx-timestamp',
    signed: '{timestamp}|{body}',
    encoding: 'base64',
    tolerance: 300,
  },
  // Twilio's own libraries accept the address with and without its port, because what signs it is inconsistent.
  twilio: {
    type: 'hmac',
    header: 'x-twilio-signature',
    algorithm: 'sha1',
    encoding: 'base64',
    signed: ['{url:without_port}{params}', '{url:with_port}{params}'],
    body_hash_query: 'bodySHA256',
  },
  viber: { type: 'hmac', header: 'x-viber-content-signature' },
};

/** What a type assumes where neither the author nor a preset says otherwise. */
export const TYPE_DEFAULTS: { readonly [T in VerificationType]: Verification } = {
  hmac: { algorithm: 'sha256', encoding: 'hex', signed: '{body}', secret_encoding: 'text' },
  ed25519: { encoding: 'hex', signed: '{body}' },
  rsa: { algorithm: 'sha256', encoding: 'base64', signed: '{body}' },
  ecdsa: { algorithm: 'sha256', encoding: 'base64', signed: '{body}' },
  token: {},
  basic: { header: 'authorization' },
  standard_webhooks: {
    header: 'webhook-signature',
    id_header: 'webhook-id',
    timestamp_header: 'webhook-timestamp',
    separator: ' ',
    signed: '{id}.{timestamp}.{body}',
    encoding: 'base64',
    algorithm: 'sha256',
    tolerance: 300,
  },
};
