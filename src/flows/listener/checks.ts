/** From a secret to the check of one signature: a shared secret, or a public key in the ways providers show it. */
import { createHmac, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { decodeBytes, sameBytes } from './bytes.ts';
import type { Resolved } from './resolve-verification.ts';

export interface Check {
  /** What a signature of this kind begins with. */
  readonly prefix: string;
  readonly holds: (signature: Buffer, signed: Buffer) => boolean;
}

type Algorithm = NonNullable<Resolved['algorithm']>;

/** The check a secret gives; undefined if the secret cannot be used for this type. */
export function checkOf(secret: string, verification: Resolved): Check | undefined {
  const { type, algorithm = 'sha256', prefix = '', secret_encoding: written = 'text' } = verification;
  switch (type) {
    case 'hmac':
      return sharedCheck(
        written === 'text' ? Buffer.from(secret, 'utf8') : decodeBytes(secret.trim(), written),
        algorithm,
        prefix,
      );
    case 'standard_webhooks':
      return standardCheck(secret.trim());
    case 'ed25519':
      return keyCheck(readEd25519(secret.trim()), null, prefix);
    case 'rsa':
    case 'ecdsa':
      return keyCheck(readKey(secret.trim(), type === 'rsa' ? 'rsa' : 'ec'), algorithm, prefix);
    default:
      return undefined;
  }
}

function sharedCheck(key: Buffer | undefined, algorithm: Algorithm, prefix: string): Check | undefined {
  if (key === undefined) return undefined;
  return {
    prefix,
    holds: (signature, signed) => sameBytes(createHmac(algorithm, key).update(signed).digest(), signature),
  };
}

function keyCheck(
  key: KeyObject | undefined,
  algorithm: Algorithm | null,
  prefix: string,
): Check | undefined {
  if (key === undefined) return undefined;
  return {
    prefix,
    holds: (signature, signed) => {
      try {
        return verify(algorithm, signed, key, signature);
      } catch {
        return false;
      }
    },
  };
}

/** Standard Webhooks: `whsec_` and base64 of a shared secret (v1), `whpk_` and base64 of an Ed25519 key (v1a). */
function standardCheck(secret: string): Check | undefined {
  if (secret.startsWith('whpk_')) {
    return keyCheck(readEd25519(secret.slice('whpk_'.length)), null, 'v1a,');
  }
  return sharedCheck(decodeBytes(secret.replace(/^whsec_/, ''), 'base64'), 'sha256', 'v1,');
}

/** SubjectPublicKeyInfo of an Ed25519 key up to the 32 bytes of the key (RFC 8410, section 4). */
const ED25519_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

function readEd25519(text: string): KeyObject | undefined {
  const raw = /^[0-9a-f]{64}$/i.test(text) ? decodeBytes(text, 'hex') : decodeBytes(text, 'base64');
  return raw?.length === 32
    ? readKey(Buffer.concat([ED25519_HEAD, raw]).toString('base64'), 'ed25519')
    : readKey(text, 'ed25519');
}

/** A public key as PEM (also with `\n` written out, as forms tend to keep it) or as base64 of its DER bytes. */
function readKey(text: string, type: 'rsa' | 'ec' | 'ed25519'): KeyObject | undefined {
  try {
    const der = decodeBytes(text.replace(/\s+/g, ''), 'base64');
    const key =
      der === undefined
        ? createPublicKey(text.replaceAll('\\n', '\n'))
        : createPublicKey({ key: der, format: 'der', type: 'spki' });
    return key.asymmetricKeyType === type ? key : undefined;
  } catch {
    return undefined;
  }
}
