/** Verification of a provider's request: over the raw bytes, in constant time, with any of several secrets. */
import { createHash } from 'node:crypto';
import type { Verification } from '../../channel/document.ts';
import { asFailure, Failure, type Problem } from '../../errors.ts';
import type { Scope } from '../../expression/scope.ts';
import { pointerTo } from '../../json.ts';
import { decodeBytes, sameText } from './bytes.ts';
import { checkSigned } from './check-signed.ts';
import { checkOf } from './checks.ts';
import { compilePlace, headerAt, type Read } from './place.ts';
import type { RequestView } from './request-view.ts';
import { type Resolved, resolveVerification } from './resolve-verification.ts';
import { compileSecret, compileSecrets, type Secrets } from './secrets.ts';
import { addressOf, compileSigned } from './signed-text.ts';
import { compileTimestamp } from './timestamp.ts';

/** `true`: genuine. `false`: not. A Failure: it could not be told, and why; the request is refused as well. */
export type Verify = (view: RequestView, scope: Scope, nowMs: number) => boolean | Failure;

type Check = (view: RequestView, scope: Scope, nowMs: number) => boolean;

/** So many signatures of one request are looked at, as a hostile header may hold thousands. */
const MAX_SIGNATURES = 16;

/** Compiles `verify`; collects what is wrong with it. Without one every request is genuine. */
export function compileVerify(
  written: Verification | undefined,
  pointer: string,
  problems: Problem[],
): Verify {
  if (written === undefined) return () => true;
  const resolved = resolveVerification(written, pointer, problems);
  const check = resolved === undefined ? () => false : compileCheck(resolved, pointer, problems);
  return (view, scope, nowMs) => {
    try {
      return check(view, scope, nowMs);
    } catch (thrown) {
      return asFailure(thrown);
    }
  };
}

function compileCheck(verification: Resolved, pointer: string, problems: Problem[]): Check {
  const secrets = compileSecrets(verification.secrets ?? [], pointerTo(pointer, 'secrets'), problems);
  const place = compilePlace(verification, pointer, problems) ?? (() => undefined);
  if (verification.type === 'token') return compileToken(verification.prefix ?? '', place, secrets);
  if (verification.type === 'basic') return compileBasic(verification, place, secrets, pointer, problems);
  return compileSignature(verification, place, secrets, pointer, problems);
}

function compileToken(prefix: string, place: Read, secrets: Secrets): Check {
  return (view, scope) => {
    const expected = secrets.render(scope);
    const token = place(view);
    if (token === undefined || !token.startsWith(prefix)) return false;
    return expected.some((secret) => sameText(token.slice(prefix.length), secret));
  };
}

function compileBasic(
  verification: Resolved,
  place: Read,
  secrets: Secrets,
  pointer: string,
  problems: Problem[],
): Check {
  const username = compileSecret(verification.username ?? '', pointerTo(pointer, 'username'), problems);
  return (view, scope) => {
    const passwords = secrets.render(scope);
    const user = username(scope);
    if (user === undefined) {
      throw new Failure(
        'SIGNATURE_INVALID',
        'The request cannot be verified: "username" has no value. Fill in the field of the sender that it names.',
      );
    }
    const given = /^basic +(\S+) *$/i.exec(place(view) ?? '')?.[1];
    const decoded = given === undefined ? undefined : decodeBytes(given, 'base64');
    return decoded !== undefined && passwords.some((password) => sameText(decoded, `${user}:${password}`));
  };
}

function compileSignature(
  verification: Resolved,
  place: Read,
  secrets: Secrets,
  pointer: string,
  problems: Problem[],
): Check {
  const { separator, encoding = 'hex', id_header: idHeader, body_hash_query: hashName } = verification;
  const at = pointerTo(pointer, 'signed');
  const signed = verification.signed ?? '{body}';
  const texts = (typeof signed === 'string' ? [signed] : signed).map((text) =>
    compileSigned(text, at, problems),
  );
  const timestamp = compileTimestamp(verification, pointer, problems);
  checkSigned(texts, verification, pointer, problems);
  const id: Read = idHeader === undefined ? () => undefined : headerAt(idHeader);
  return (view, scope, nowMs) => {
    const checks = secrets
      .render(scope)
      .map((secret) => checkOf(secret, verification))
      .filter((check) => check !== undefined);
    if (checks.length === 0) throw unusable(verification);
    const value = place(view);
    if (value === undefined) return false;
    const parts =
      separator === undefined
        ? [value.trim()]
        : value.split(separator, 4 * MAX_SIGNATURES).map((part) => part.trim());
    const time = timestamp.read(view, parts);
    if (!timestamp.current(time, nowMs)) return false;
    const hash = hashName === undefined ? null : new URLSearchParams(addressOf(view).search).get(hashName);
    if (
      hash !== null &&
      !sameText(hash.toLowerCase(), createHash('sha256').update(view.request.body).digest('hex'))
    ) {
      return false;
    }
    const ingredients = { view, timestamp: time, id: id(view), bodyHashed: hash !== null };
    const candidates = texts.map((text) => text.bytes(ingredients)).filter((bytes) => bytes !== undefined);
    return checks.some(({ prefix, holds }) =>
      parts
        .filter((part) => part.startsWith(prefix))
        .slice(0, MAX_SIGNATURES)
        .some((part) => {
          const signature = decodeBytes(part.slice(prefix.length), encoding);
          return signature !== undefined && candidates.some((bytes) => holds(signature, bytes));
        }),
    );
  };
}

function unusable({ type, secret_encoding: written }: Resolved): Failure {
  const wanted = {
    hmac: `shared secrets written as ${written}`,
    standard_webhooks: 'base64 after "whsec_" or "whpk_", as the provider shows them',
    ed25519: 'Ed25519 public keys in hex, base64 or PEM',
    rsa: 'RSA public keys in PEM or base64',
    ecdsa: 'EC public keys in PEM or base64',
    token: 'tokens',
    basic: 'passwords',
  }[type];
  return new Failure(
    'SIGNATURE_INVALID',
    `The request cannot be verified: none of the secrets can be used; they must be ${wanted}. Correct the fields of the sender that "secrets" names.`,
  );
}
