/**
 * Addresses in the form in which they are compared. What is stored for a secret address is a keyed hash, which cannot be
 * turned back; its key is made once for an installation and encrypted by the vault like every other secret.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { isObject } from '../../json.ts';
import { readSetting, saveSetting } from '../../storage/settings.ts';
import { isoTime } from '../../time.ts';
import type { Runtime } from '../runtime.ts';

/** Under which the key of the hashes is kept; src/storage/sealed.ts encrypts it again when keys rotate. */
const SETTING = 'address_key';
/** What is longer is compared by its hash, because an index holds no long texts. */
const LONGEST_KEY = 250;

/** An address in its one form, the key it is kept under where anyone may see it, and its hash. */
export interface AddressKey {
  readonly address: string;
  readonly plain: string;
  readonly hash: string;
}

/** Returns the keys of addresses. */
export interface AddressKeys {
  /** Undefined for a value that is no address. */
  readonly of: (value: unknown) => AddressKey | undefined;
}

/** Reads the key of the hashes, or makes it. Throws SECRET_UNREADABLE. */
export async function readAddressKeys({ database, vault, clock }: Runtime): Promise<AddressKeys> {
  let stored = await readSetting(database, SETTING);
  if (stored === undefined) {
    const sealed = vault.seal(randomBytes(32).toString('base64'), isoTime(clock.now()));
    await saveSetting(database, SETTING, JSON.stringify(sealed));
    stored = (await readSetting(database, SETTING)) ?? JSON.stringify(sealed);
  }
  const key = Buffer.from(String(vault.open(JSON.parse(stored))), 'base64');
  return Object.freeze<AddressKeys>({
    of: (value) => {
      const address = normalAddress(value);
      if (address === undefined) return undefined;
      const hash = `#${createHmac('sha256', key).update(address).digest('base64url')}`;
      return { address, plain: address.length > LONGEST_KEY ? hash : address, hash };
    },
  });
}

/**
 * One form for all ways to write an address: email addresses in lower case, phone numbers as their digits with the
 * country code first, everything else as it is, because ids and tokens tell upper from lower case.
 */
export function normalAddress(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  if (isObject(value) || Array.isArray(value)) return JSON.stringify(value, inOrder);
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (text === '') return undefined;
  if (/^[^\s@]+@[^\s@]+$/.test(text)) return text.toLowerCase();
  if (/^(\+|\(|\d)[\d\s().\-/]*$/.test(text)) {
    const digits = text.replaceAll(/\D/g, '');
    return /^\(?00/.test(text) ? digits.slice(2) : digits;
  }
  return text;
}

/** Members in the order of their names, so that equal values have equal texts. */
function inOrder(_name: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
