/** Rules: the listener can answer, verify and recognise requests as declared (channel format, section 10). */
import { isKeyword, type Keyword, type Reference } from '../../expression/scope.ts';
import { compileTemplate } from '../../expression/template.ts';
import type { ListenerAnswer, Verification, VerificationType } from '../document.ts';
import type { Draft } from '../draft.ts';
import { emptyReading, type Reading, readJsonata, readTemplate } from '../read-params.ts';
import type { Report } from '../report.ts';
import { writtenSecret } from '../written-secrets.ts';
import type { Rule, RuleContext } from './context.ts';
import { checkMember, checkPersonal, checkSecret } from './references.ts';

/** What a request brings along. */
const REQUEST: ReadonlySet<Keyword> = new Set(['in', 'origin', 'sender', 'account', 'channel', 'now']);
const CREDENTIALS: ReadonlySet<Keyword> = new Set(['sender', 'account']);
const MEMBERS: ReadonlySet<unknown> = new Set(['form', 'body', 'headers', 'method', 'path', 'data']);

const PLACES = ['header', 'query', 'body'] as const;
/** Types that know by themselves where a signature stands. */
const PLACED: ReadonlySet<VerificationType | undefined> = new Set(['basic', 'standard_webhooks']);
/** Types whose secrets both sides know; the others have public keys. */
const SHARED: ReadonlySet<VerificationType | undefined> = new Set([
  'hmac',
  'token',
  'basic',
  'standard_webhooks',
]);
const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304]);

export const checkListener: Rule = (draft, report, context) => {
  const { listener } = draft.document;
  if (listener === undefined) return;
  const { response, responses = [], verify, dedupe } = listener;
  const read = (fill: (reading: Reading) => void, allowed: ReadonlySet<Keyword>, shown: boolean) =>
    checkReading(fill, allowed, shown, draft, report, context);
  const answer = (written: ListenerAnswer, pointer: string) => {
    checkAnswer(written, pointer, draft, report);
    read((reading) => readAnswer(written, pointer, reading), REQUEST, true);
  };
  if (typeof response === 'string')
    read((reading) => readTemplate(response, '/listener/response', reading), REQUEST, true);
  else if (response !== undefined) answer(response, '/listener/response');
  responses.forEach((each, index) => {
    const pointer = `/listener/responses/${index}`;
    read((reading) => readJsonata(each.when, `${pointer}/when`, reading), REQUEST, false);
    answer(each, pointer);
    if (each.verified === true && verify === undefined) {
      const place = { source: draft.source, pointer: `${pointer}/verified` };
      report.add(
        'listener-response',
        place,
        '"verified" needs a "verify" in the listener, which says how a request proves where it comes from.',
      );
    }
  });
  if (dedupe !== undefined) {
    read((reading) => readTemplate(dedupe, '/listener/dedupe', reading), REQUEST, false);
    const { constant, problems } = compileTemplate(dedupe);
    if (constant && problems.length === 0) {
      const message =
        '"dedupe" gives every request the same name, so that all but the first would be taken for repeats; name it by a value of its own, such as $in.data.id.';
      report.add('listener-dedupe', { source: draft.source, pointer: '/listener/dedupe' }, message);
    }
  }
  if (verify !== undefined) {
    checkVerify(verify, draft, report);
    const texts = [
      ...(verify.secrets ?? []).map((text, index) => [text, `secrets/${index}`] as const),
      ...(verify.username === undefined ? [] : [[verify.username, 'username'] as const]),
    ];
    for (const [text, name] of texts) {
      const pointer = `/listener/verify/${name}`;
      const keep = (reading: Reading) => {
        readTemplate(text, pointer, reading);
        if (name !== 'username' && SHARED.has(verify.type))
          reading.problems.push(...writtenSecret(text, pointer));
      };
      read(keep, CREDENTIALS, false);
    }
  }
};

function readAnswer(
  { content_type: type, body, headers }: ListenerAnswer,
  pointer: string,
  reading: Reading,
): void {
  if (type !== undefined) readTemplate(type, `${pointer}/content_type`, reading);
  if (body !== undefined) readTemplate(body, `${pointer}/body`, reading);
  if (headers !== undefined) readTemplate(headers, `${pointer}/headers`, reading);
}

function checkAnswer(
  { status = 200, body = '' }: ListenerAnswer,
  pointer: string,
  draft: Draft,
  report: Report,
): void {
  if (!BODYLESS.has(status) || body === '') return;
  const place = { source: draft.source, pointer: `${pointer}/body` };
  report.add(
    'listener-response',
    place,
    `An answer with status ${status} has no body; leave "body" out, or take another status.`,
  );
}

function checkReading(
  fill: (reading: Reading) => void,
  allowed: ReadonlySet<Keyword>,
  shown: boolean,
  draft: Draft,
  report: Report,
  context: RuleContext,
): void {
  const reading = emptyReading();
  fill(reading);
  const { source } = draft;
  for (const { code, pointer, message, suggestion } of reading.problems)
    report.add(code, { source, pointer }, message, suggestion);
  for (const reference of reading.references) {
    const place = { source, pointer: reference.pointer };
    if (!checkPersonal(reference, place, draft, report)) continue;
    if (!isThere(reference, allowed)) {
      const names = [...allowed].filter(isKeyword).map((name) => `$${name}`);
      report.add(
        'keyword-unavailable',
        place,
        `${reference.text} does not exist when a request is answered; there are ${names.join(', ')}, and in $in: form, body, headers, method, path, data.`,
      );
      continue;
    }
    checkMember(reference, place, report, context);
    if (shown) checkSecret(reference, place, report, context);
  }
}

function isThere({ keyword, path: [first] }: Reference, allowed: ReadonlySet<Keyword>): boolean {
  if (!allowed.has(keyword)) return false;
  if (keyword !== 'in' && keyword !== 'origin') return true;
  return first === undefined || (MEMBERS.has(first) && (keyword === 'in' || first !== 'data'));
}

function checkVerify(verify: Verification, draft: Draft, report: Report): void {
  const { type, preset, secrets = [], username } = verify;
  const complain = (member: string, message: string) =>
    report.add('listener-verify', { source: draft.source, pointer: `/listener/verify${member}` }, message);
  if (type === undefined && preset === undefined) {
    complain('', '"verify" needs a "type" such as "hmac", or a "preset" such as "slack".');
    return;
  }
  if (secrets.length === 0) {
    complain('/secrets', '"secrets" must name at least one secret, for example ["$sender.webhook_secret"].');
  }
  if (type === 'basic' && username === undefined) {
    complain('/username', 'The type "basic" needs a "username", for example "$sender.webhook_user".');
  }
  const places = PLACES.filter((place) => verify[place] !== undefined);
  if (places.length > 1 || (places.length === 0 && preset === undefined && !PLACED.has(type))) {
    const found = places.length === 0 ? 'none' : places.map((place) => `"${place}"`).join(' and ');
    complain(
      '',
      `"verify" says where the ${type === 'token' ? 'token' : 'signature'} stands by exactly one of "header", "query" and "body"; it has ${found}.`,
    );
  }
  if (verify.timestamp_prefix !== undefined && verify.separator === undefined && preset === undefined) {
    complain(
      '/timestamp_prefix',
      '"timestamp_prefix" finds the timestamp among the parts of the signature, so it needs a "separator".',
    );
  }
  const timed = verify.timestamp_header ?? verify.timestamp_prefix ?? verify.timestamp_body;
  if (
    verify.tolerance !== undefined &&
    timed === undefined &&
    preset === undefined &&
    type !== 'standard_webhooks'
  ) {
    complain(
      '/tolerance',
      '"tolerance" needs a timestamp; name it by "timestamp_header", "timestamp_prefix" or "timestamp_body".',
    );
  }
}
