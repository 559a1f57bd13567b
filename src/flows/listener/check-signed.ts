/** Rules between `signed` and the other members of a verification. */
import type { Problem } from '../../errors.ts';
import { pointerTo } from '../../json.ts';
import type { Resolved } from './resolve-verification.ts';
import type { SignedText } from './signed-text.ts';

/** Collects what `signed` lacks: sources of its placeholders, and cover for what is relied on. */
export function checkSigned(
  texts: readonly SignedText[],
  verification: Resolved,
  pointer: string,
  problems: Problem[],
): void {
  const { timestamp_header: header, timestamp_body: body, timestamp_prefix: prefix } = verification;
  const complain = (message: string) => problems.push({ pointer: pointerTo(pointer, 'signed'), message });
  const anyHas = (name: string) => texts.some(({ names }) => names.has(name));
  const allHave = (options: readonly string[]) =>
    texts.every(({ names }) => options.some((name) => names.has(name)));
  if (texts.length === 0) complain('"signed" must name what is signed, for example "{timestamp}.{body}".');
  if (anyHas('id') && verification.id_header === undefined) {
    complain('{id} needs "id_header", the header that carries it.');
  }
  if (anyHas('timestamp') && (header ?? body ?? prefix) === undefined) {
    complain(
      '{timestamp} needs "timestamp_header", "timestamp_prefix" or "timestamp_body", where it stands.',
    );
  }
  const covering = ['timestamp'];
  if (header !== undefined) covering.push(`header:${header.toLowerCase()}`);
  if (body !== undefined) covering.push('body', `body:${body.toLowerCase()}`);
  if (verification.tolerance !== undefined && !allHave(covering)) {
    complain(
      'The timestamp is compared with the clock but not signed, so anyone could renew it; put {timestamp} into "signed" or leave "tolerance" out.',
    );
  }
  if (
    verification.body_hash_query !== undefined &&
    !allHave(['url', 'url:with_port', 'url:without_port', 'query'])
  ) {
    complain(
      'The hash of the body stands in the query, which is not signed; put {url} into "signed" or leave "body_hash_query" out.',
    );
  }
}
