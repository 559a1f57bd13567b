import { expect, it } from 'vitest';
import type { Listener, Verification } from '../../../src/channel/document.ts';
import { Failure } from '../../../src/errors.ts';
import { compileListener } from '../../../src/flows/listener/compile-listener.ts';

function problemsOf(listener: Listener): readonly string[] {
  try {
    compileListener(listener);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    expect(thrown.code).toBe('DOCUMENT_INVALID');
    return (thrown.details.problems ?? []).map(({ pointer, message }) => `${pointer} ${message}`);
  }
}

const secrets = ['$sender.secret'];

it.each<[Verification, string, string]>([
  [{ secrets }, '/listener/verify', 'needs a "type"'],
  [{ preset: 'slack', type: 'token', secrets }, '/listener/verify/type', 'is of type "hmac", not "token"'],
  [{ type: 'hmac', header: 'a' }, '/listener/verify/secrets', 'at least one secret'],
  [{ type: 'hmac', header: 'a', secrets: [] }, '/listener/verify/secrets', 'at least one secret'],
  [{ type: 'hmac', secrets }, '/listener/verify', 'where the signature stands'],
  [{ type: 'token', header: 'a', query: 'b', secrets }, '/listener/verify', 'it has "header" and "query"'],
  [
    { type: 'token', header: 'a', signed: '{body}', secrets },
    '/listener/verify/signed',
    'means nothing for the type "token"',
  ],
  [{ type: 'basic', secrets }, '/listener/verify/username', 'needs a "username"'],
  [{ type: 'basic', username: 'u', header: 'x', secrets }, '/listener/verify/header', 'means nothing'],
  [
    { type: 'hmac', header: 'a', secrets: ['$in.form.secret'] },
    '/listener/verify/secrets/0',
    'let the caller choose it',
  ],
  [{ type: 'hmac', header: 'a', secrets: ['${sender.a'] }, '/listener/verify/secrets/0', 'no closing brace'],
  [
    { type: 'basic', username: '$origin.form.u', secrets },
    '/listener/verify/username',
    'let the caller choose it',
  ],
  [
    { type: 'hmac', header: 'a', signed: '{nonce}', secrets },
    '/listener/verify/signed',
    '{nonce} is not known',
  ],
  [{ type: 'hmac', header: 'a', signed: '{header:}', secrets }, '/listener/verify/signed', 'is not known'],
  [
    { type: 'hmac', header: 'a', signed: '{body:a b}', secrets },
    '/listener/verify/signed',
    'not a path into the body',
  ],
  [
    { type: 'hmac', header: 'a', signed: '{id}{body}', secrets },
    '/listener/verify/signed',
    'needs "id_header"',
  ],
  [
    { type: 'hmac', header: 'a', signed: '{timestamp}{body}', secrets },
    '/listener/verify/signed',
    '{timestamp} needs',
  ],
  [{ type: 'hmac', header: 'a', signed: [], secrets }, '/listener/verify/signed', 'must name what is signed'],
  [{ type: 'hmac', body: 'a..b', secrets }, '/listener/verify/body', 'not a path into the body'],
  [{ type: 'hmac', header: 'a', separator: '', secrets }, '/listener/verify/separator', 'must not be empty'],
  [
    { type: 'hmac', header: 'a', timestamp_prefix: 't=', secrets },
    '/listener/verify/timestamp_prefix',
    'needs a "separator"',
  ],
  [{ type: 'hmac', header: 'a', tolerance: 5, secrets }, '/listener/verify/tolerance', 'needs a timestamp'],
  [
    { type: 'hmac', header: 'a', timestamp_header: 't', tolerance: 5, secrets },
    '/listener/verify/signed',
    'anyone could renew it',
  ],
  [
    { type: 'hmac', header: 'a', timestamp_header: 't', timestamp_body: 't', signed: '{timestamp}', secrets },
    '/listener/verify/timestamp_body',
    'one place only',
  ],
  [
    { type: 'hmac', header: 'a', body_hash_query: 'h', secrets },
    '/listener/verify/signed',
    'which is not signed',
  ],
])('verify %j', (verification, pointer, message) => {
  expect(problemsOf({ verify: verification })).toContainEqual(
    expect.stringMatching(new RegExp(`^${pointer} .*${message.replace(/[{}"$]/g, '\\$&')}`)),
  );
});

it('lets an author change what a preset says', () => {
  expect(problemsOf({ verify: { preset: 'slack', tolerance: 60, secrets } })).toEqual([]);
  expect(problemsOf({ verify: { preset: 'mailgun', header: 'x-signature', secrets } })).toEqual([]);
  expect(problemsOf({ verify: { preset: 'stripe', timestamp_header: 'x-time', secrets } })).toEqual([]);
});

it.each<[Listener, string, string]>([
  [{ response: { status: 99 } }, '/listener/response/status', '200 to 599'],
  [{ response: { status: 204, body: 'x' } }, '/listener/response/body', 'has no body'],
  [{ response: { headers: { 'a b': 'x' } } }, '/listener/response/headers/a b', 'not a header name'],
  [
    { response: { headers: { 'Content-Length': '1' } } },
    '/listener/response/headers/Content-Length',
    'sets "Content-Length" itself',
  ],
  [{ response: 'x$#in.data' }, '/listener/response', 'whole string'],
  [{ response: { body: { a: ['x$#in.data'] } } }, '/listener/response/body/a/0', 'whole string'],
  [{ dedupe: 'constant' }, '/listener/dedupe', 'every request the same name'],
  [{ responses: [{ when: 'true', verified: true }] }, '/listener/responses/0/verified', 'needs a "verify"'],
  [{ responses: [{ when: '$method = ' }] }, '/listener/responses/0/when', ''],
])('listener %j', (listener, pointer, message) => {
  expect(problemsOf(listener)).toContainEqual(expect.stringMatching(new RegExp(`^${pointer} .*${message}`)));
});
