/** Keeps secret values out of reports and golden files: they are replaced by value, wherever they stand. */
import type { ChannelDocument, FieldGroup } from '../channel/document.ts';
import { fieldsOf } from '../channel/document.ts';
import { createRedact } from '../flows/redact.ts';
import { isObject, own, setOwn } from '../json.ts';

/** Gives back any JSON value with the secrets in its texts replaced. */
export type RedactValue = (value: unknown) => unknown;

/** The values that the channel declares secret, from the field values of a test. */
export function secretsOf(
  channel: ChannelDocument,
  values: { readonly [G in FieldGroup]?: unknown },
): readonly string[] {
  const secrets = Object.entries(channel.fields).flatMap(([group, rows]) =>
    fieldsOf(rows)
      .filter((field) => field.secret === true)
      .flatMap((field) => own(own(values, group), field.field)),
  );
  return secrets.filter((secret) => typeof secret === 'string');
}

/** A function that masks the secrets in the texts of a value, as production masks them. */
export function createRedactValue(secrets: readonly string[]): RedactValue {
  const redact = createRedact(secrets);
  const redactText = (text: string) =>
    redact(text.replace(SIGNED_TOKEN, '***')).replace(BASIC, (whole, scheme: string, credentials: string) => {
      const plain = Buffer.from(credentials, 'base64').toString('utf8');
      return redact(plain) === plain ? whole : `${scheme} ***`;
    });
  const redactValue: RedactValue = (value) => {
    if (typeof value === 'string') return redactText(value);
    if (Array.isArray(value)) return value.map(redactValue);
    if (!isObject(value)) return value;
    const result: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(value)) setOwn(result, key, redactValue(member));
    return result;
  };
  return redactValue;
}

/** A JSON Web Token: a credential made from one, and some are signed differently each time. */
const SIGNED_TOKEN = /\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g;
/** Basic credentials, in which a password does not stand by itself. */
const BASIC = /\b(Basic) ([A-Za-z0-9+/]+={0,2})/g;
