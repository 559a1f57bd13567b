/** Comparing secrets and reading bytes that were written as text. */
import { createHash, timingSafeEqual } from 'node:crypto';

export type Encoding = 'hex' | 'base64' | 'base64url';

const FORMS: { readonly [E in Encoding]: RegExp } = {
  hex: /^(?:[0-9a-f]{2})+$/i,
  base64: /^[A-Za-z0-9+/]+={0,2}$/,
  base64url: /^[A-Za-z0-9_-]+={0,2}$/,
};

/** The bytes of a text, or undefined if the text is not in this encoding. */
export function decodeBytes(text: string, encoding: Encoding): Buffer | undefined {
  return FORMS[encoding].test(text) ? Buffer.from(text, encoding) : undefined;
}

/** Compares in constant time; only the length, which is no secret of a digest, shows. */
export function sameBytes(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Compares texts in constant time, their length included. */
export function sameText(left: string | Buffer, right: string | Buffer): boolean {
  return timingSafeEqual(
    createHash('sha256').update(left).digest(),
    createHash('sha256').update(right).digest(),
  );
}
