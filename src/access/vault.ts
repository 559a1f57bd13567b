/**
 * The vault: secret fields are encrypted with AES-256-GCM before they reach the database and shown to nobody after.
 * Each value has its own nonce and names the key it was sealed with, so that keys rotate without downtime.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Failure } from '../errors.ts';
import { isObject, own, setOwn } from '../json.ts';

/** How a sealed value stands in stored JSON. */
const SEALED = '$secret';

export interface Vault {
  /** Encrypts a value. */
  readonly seal: (value: unknown, setAt: string) => Readonly<Record<string, unknown>>;
  /** Decrypts a sealed value; throws SECRET_UNREADABLE. */
  readonly open: (sealed: unknown) => unknown;
  /** True where the value was sealed with a key that is not the current one. */
  readonly isOld: (sealed: unknown) => boolean;
}

/** A vault with the current key first and older ones after it, each 32 bytes. */
export function createVault(keys: readonly Buffer[]): Vault {
  const byId = new Map(keys.map((key) => [keyId(key), key]));
  const [current] = keys;
  return Object.freeze<Vault>({
    seal: (value, setAt) => {
      if (current === undefined) throw new Failure('SETTINGS_INVALID', 'Secrets need SLUICEWAY_SECRET_KEY.');
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', current, nonce);
      const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
      const parts = [nonce, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'));
      return { [SEALED]: [keyId(current), ...parts].join('.'), setAt };
    },
    open: (sealed) => {
      const [id = '', nonce = '', text = '', tag = ''] = String(own(sealed, SEALED)).split('.');
      const key = byId.get(id);
      if (key === undefined) {
        throw new Failure(
          'SECRET_UNREADABLE',
          `A secret was encrypted with key ${id}, which SLUICEWAY_SECRET_KEY does not hold. Add that key after the current one.`,
        );
      }
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'));
        decipher.setAuthTag(Buffer.from(tag, 'base64url'));
        const bytes = Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]);
        return JSON.parse(bytes.toString('utf8'));
      } catch (thrown) {
        throw new Failure(
          'SECRET_UNREADABLE',
          `A secret encrypted with key ${id} is damaged; set it again.`,
          {
            cause: thrown,
          },
        );
      }
    },
    isOld: (sealed) => current !== undefined && !String(own(sealed, SEALED)).startsWith(`${keyId(current)}.`),
  });
}

/** Names a key without emitOperatorEvents it. */
function keyId(key: Buffer): string {
  return createHash('sha256').update('sluiceway key id').update(key).digest('hex').slice(0, 8);
}

export function isSealed(value: unknown): boolean {
  return isObject(value) && typeof own(value, SEALED) === 'string';
}

/** Seals the named members of an object; others stay. */
export function sealFields(
  vault: Vault,
  values: Readonly<Record<string, unknown>>,
  secret: ReadonlySet<string>,
  setAt: string,
): Record<string, unknown> {
  const stored: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    setOwn(stored, name, secret.has(name) && value !== null ? vault.seal(value, setAt) : value);
  }
  return stored;
}

/** Opens every sealed member of stored values, and lists the texts that must never be shown. */
export function openFields(
  vault: Vault,
  stored: Readonly<Record<string, unknown>>,
): { values: Record<string, unknown>; secrets: string[] } {
  const values: Record<string, unknown> = {};
  const secrets: string[] = [];
  for (const [name, value] of Object.entries(stored)) {
    if (isSealed(value)) {
      const opened = vault.open(value);
      setOwn(values, name, opened);
      secrets.push(...textsOf(opened));
    } else setOwn(values, name, value);
  }
  return { values, secrets };
}

/** Stored values as a response may show them: of a secret only that it is set, and when. */
export function maskFields(stored: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(stored)) {
    setOwn(shown, name, isSealed(value) ? { set: true, setAt: own(value, 'setAt') } : value);
  }
  return shown;
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsOf);
  return [];
}
