/** Secrets of signed webhooks, in the form of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. */
import { randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
const NEW_BYTES = 32;
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/** A new secret. */
export function newSigningSecret(): string {
  return PREFIX + randomBytes(NEW_BYTES).toString('base64');
}

/** The key in a secret; undefined if the text is none. */
export function signingKeyOf(secret: string): Buffer | undefined {
  if (!secret.startsWith(PREFIX)) return undefined;
  const text = secret.slice(PREFIX.length);
  const key = Buffer.from(text, 'base64');
  const isBase64 = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  return isBase64 && key.length >= LEAST_BYTES && key.length <= MOST_BYTES ? key : undefined;
}
