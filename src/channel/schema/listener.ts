/** The schema of `listener` in a channel document (channel format, section 10). */
import type { JsonObject } from '../../json.ts';
import { VERIFICATION_PRESETS, VERIFICATION_TYPES } from '../document.ts';
import { anything, choice, dictionary, flag, list, record, text, whole } from './words.ts';

const ANSWER: { readonly [name: string]: JsonObject } = {
  status: whole('The HTTP status. Default: 200.', { minimum: 200, maximum: 599 }),
  content_type: text('The content type. Takes templates.'),
  body: anything(
    'The body: a text with templates, or a JSON value that is built structurally. Default: empty.',
  ),
  headers: dictionary('Headers. Values take templates.', { type: 'string' }),
};

const verification = (): JsonObject =>
  record(
    'How a request proves where it comes from, over its raw bytes; failure is 401 and nothing is stored.',
    {
      preset: choice(
        'Fills in what is usual for a provider; members written beside it win.',
        VERIFICATION_PRESETS,
      ),
      type: choice('The way of proving. Needed without "preset".', VERIFICATION_TYPES),
      algorithm: choice('The hash of the signature. Default: sha256.', [
        'sha1',
        'sha256',
        'sha384',
        'sha512',
      ]),
      encoding: choice('How the signature is written.', ['hex', 'base64', 'base64url']),
      header: text('The header of the signature or token.', { minLength: 1 }),
      query: text('The query name of the signature or token.', { minLength: 1 }),
      body: text('The path of the signature or token in the parsed body, such as signature.signature.', {
        minLength: 1,
      }),
      separator: text('Splits the value into parts, as in t=1,v1=ab.', { minLength: 1 }),
      prefix: text('Only parts that begin with it are signatures; it is taken off.'),
      signed: {
        description:
          'What was signed, with {body}, {timestamp}, {id}, {url}, {url:with_port}, {url:without_port}, {path}, {query}, {method}, {params}, {header:name} and {body:path}. A list: any of them.',
        anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }],
      },
      id_header: text('The header of the id of the request.'),
      timestamp_header: text('The header of the timestamp.'),
      timestamp_prefix: text('The part of the signature that is the timestamp begins with it.'),
      timestamp_body: text('The path of the timestamp in the parsed body.'),
      timestamp_format: choice('How the timestamp is written. Default: seconds.', [
        'seconds',
        'milliseconds',
        'iso',
      ]),
      tolerance: whole('So many seconds may the timestamp be off.', { minimum: 1 }),
      secrets: list(
        'Templates over $sender and $account: shared secrets, public keys, tokens or passwords. Several are for rotation.',
        { type: 'string', minLength: 1 },
      ),
      secret_encoding: choice('How a shared secret is written down. Default: text.', [
        'text',
        'hex',
        'base64',
      ]),
      username: text('basic: the user name, a template over $sender and $account.'),
      body_hash_query: text(
        'The query name that carries the SHA-256 of the body, where only the address is signed.',
      ),
    },
  );

/** How requests of the provider are answered, verified and told apart. */
export const listenerSchema = (): JsonObject =>
  record('How requests of the provider are answered, verified and told apart.', {
    response: {
      description: 'The answer: an object, or just its body. Default: 200 and empty.',
      anyOf: [{ type: 'string' }, record('The answer.', ANSWER)],
    },
    responses: list(
      'Answers given at once, before verification and without a run: handshakes and challenges. The first match wins.',
      record(
        'An answer and its condition.',
        {
          when: text('A JSONata condition over $method, $path, $form, $headers, $body and the keywords.', {
            minLength: 1,
          }),
          verified: flag('Holds only for a request that passes "verify".', { default: false }),
          ...ANSWER,
        },
        ['when'],
      ),
    ),
    verify: verification(),
    dedupe: text(
      'A template whose value names the request; a repeat gets the same answer and runs nothing.',
      {
        minLength: 1,
      },
    ),
    answer: choice('"result": runs the pipeline first and answers with its result.', ['result']),
  });
