/** Signs webhooks (Standard Webhooks 1.0): HMAC-SHA256 over id, timestamp and body, one signature for each secret. */
import { createHmac } from 'node:crypto';

/** What is signed; the timestamp is that of the attempt, in seconds. */
export interface SignedWebhook {
  readonly id: string;
  readonly timestamp: number;
  readonly body: string;
}

/** The headers of a signed webhook. */
export function signatureHeaders(
  { id, timestamp, body }: SignedWebhook,
  keys: readonly Buffer[],
): Record<string, string> {
  const signatures = keys.map((key) => {
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    return `v1,${signature}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
