import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Verification } from '../../../src/channel/document.ts';
import { compileListener } from '../../../src/flows/listener/compile-listener.ts';
import { NOW_MS, NOW_SECONDS, request, type Sent, verify } from './support.ts';

const BODY = Buffer.from([0xff, 0x00, 0x7b, 0x7d, 0xc3, 0x28]);
const SECRET = 'sécret $1';

it('lets every request in where nothing is to be verified', () => {
  expect(compileListener(undefined).verify(request({}), {}, NOW_MS)).toBe(true);
  expect(compileListener({}).verify(request({}), {}, NOW_MS)).toBe(true);
});

describe('hmac', () => {
  const encodings = ['hex', 'base64', 'base64url'] as const;
  const algorithms = ['sha1', 'sha256', 'sha384', 'sha512'] as const;
  const cases = encodings.flatMap((encoding) => algorithms.map((algorithm) => ({ encoding, algorithm })));

  it.each(cases)('$algorithm in $encoding over the raw bytes', ({ encoding, algorithm }) => {
    const verification: Verification = { type: 'hmac', header: 'X-Sig', algorithm, encoding };
    const signature = createHmac(algorithm, SECRET).update(BODY).digest(encoding);
    const check = (value: string, body: Buffer = BODY, secret = SECRET) =>
      verify(verification, { body, headers: { 'x-sig': value } }, { secret });
    expect(check(signature)).toBe(true);
    expect(check(signature, BODY.subarray(1))).toBe(false);
    expect(check(signature, Buffer.from(BODY.toString('utf8')))).toBe(false);
    expect(check(signature, BODY, `${SECRET} `)).toBe(false);
    expect(check(signature.slice(0, -4))).toBe(false);
    expect(check(`${signature}!`)).toBe(false);
    expect(check('')).toBe(false);
  });

  it('takes secrets written in hex and base64', () => {
    const key = Buffer.from([1, 2, 3, 250]);
    const signature = createHmac('sha256', key).update('x').digest('hex');
    const sent = { body: 'x', headers: { sig: signature } };
    const check = (secret: string, written: 'hex' | 'base64') =>
      verify({ type: 'hmac', header: 'sig', secret_encoding: written }, sent, { secret });
    expect(check('010203fa', 'hex')).toBe(true);
    expect(check('AQID+g==', 'base64')).toBe(true);
    expect(check('010203fb', 'hex')).toBe(false);
    expect(check('not hex', 'hex')).toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('puts together every part of the request', () => {
    const text = 'POST|/fbp/v1/a/1|q=1&r=%20|https://a.example/fbp/v1/a/1?q=1&r=%20|id-1|5|h1|7|{x}';
    const sent: Sent = {
      url: 'https://a.example/fbp/v1/a/1?q=1&r=%20',
      query: `sig=${createHmac('sha256', SECRET).update(text).digest('hex')}`,
      headers: { 'x-id': 'id-1', 'x-time': '5', 'X-H': 'h1' },
      body: '{"a":[{"b-c":7}]}',
    };
    const verification: Verification = {
      type: 'hmac',
      query: 'sig',
      signed: "{method}|{path}|{query}|{url}|{id}|{timestamp}|{header:x-h}|{body:a.%0.'b-c'}|{x}",
      id_header: 'X-Id',
      timestamp_header: 'X-Time',
    };
    // {x} is no placeholder, which is a mistake in the document; as plain text it is written otherwise.
    expect(() => verify(verification, sent, { secret: SECRET })).toThrow('{x} is not known');
    const signed = String(verification.signed).replace('{x}', '{ x }');
    const resigned = {
      ...sent,
      query: `sig=${createHmac('sha256', SECRET).update(text.replace('{x}', '{ x }')).digest('hex')}`,
    };
    expect(verify({ ...verification, signed }, resigned, { secret: SECRET })).toBe(true);
    for (const missing of ['x-id', 'x-time', 'X-H']) {
      const headers = Object.fromEntries(
        Object.entries(resigned.headers ?? {}).filter(([name]) => name !== missing),
      );
      expect(verify({ ...verification, signed }, { ...resigned, headers }, { secret: SECRET })).toBe(false);
    }
  });

  it('takes a list separated as another provider does, in any of several signed forms', () => {
    const verification: Verification = {
      type: 'hmac',
      header: 'paddle-signature',
      separator: ';',
      prefix: 'h1=',
      timestamp_prefix: 'ts=',
      signed: ['{timestamp}:{body}', '{timestamp}.{body}'],
      tolerance: 5,
    };
    const header = (form: string) =>
      `ts=${NOW_SECONDS};h1=${createHmac('sha256', SECRET).update(form).digest('hex')}`;
    const check = (value: string) =>
      verify(verification, { body: 'b', headers: { 'Paddle-Signature': value } }, { secret: SECRET });
    expect(check(header(`${NOW_SECONDS}:b`))).toBe(true);
    expect(check(header(`${NOW_SECONDS}.b`))).toBe(true);
    expect(check(header(`${NOW_SECONDS}-b`))).toBe(false);
    expect(check(header(`${NOW_SECONDS}:b`).replace(/^ts=\d+;/, ''))).toBe(false);
    const padding = 'h1=00;'.repeat(5000);
    expect(check(padding + header(`${NOW_SECONDS}:b`))).toBe(false);
  });

  it.each([
    ['seconds', String(NOW_SECONDS), true],
    ['seconds', `${NOW_SECONDS}.5`, false],
    ['seconds', `-${NOW_SECONDS}`, false],
    ['seconds', String(NOW_MS), false],
    ['milliseconds', String(NOW_MS + 999), true],
    ['milliseconds', String(NOW_SECONDS), false],
    ['iso', new Date(NOW_MS).toISOString(), true],
    ['iso', '2023-11-15T00:13:20+02:00', true],
    ['iso', '2023-11-14', false],
    ['iso', 'yesterday', false],
  ] as const)('a timestamp in %s: %s', (format, timestamp, expected) => {
    const signature = createHmac('sha256', SECRET).update(timestamp).digest('hex');
    const verification: Verification = {
      type: 'hmac',
      header: 'sig',
      signed: '{timestamp}',
      timestamp_header: 'time',
      timestamp_format: format,
      tolerance: 0,
    };
    expect(verify(verification, { headers: { sig: signature, time: timestamp } }, { secret: SECRET })).toBe(
      expected,
    );
  });
});

describe('public keys', () => {
  const ed = generateKeyPairSync('ed25519');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = (key: typeof ed.publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();
  const der = (key: typeof ed.publicKey) => key.export({ type: 'spki', format: 'der' });

  const check = (verification: Verification, signature: Buffer, secret: string, body: Buffer = BODY) => {
    const encoding = verification.encoding ?? (verification.type === 'ed25519' ? 'hex' : 'base64');
    return verify(
      { header: 'sig', ...verification },
      { body, headers: { sig: signature.toString(encoding) } },
      { secret },
    );
  };

  it('ed25519: raw in hex and base64, DER and PEM', () => {
    const signature = sign(null, BODY, ed.privateKey);
    const raw = der(ed.publicKey).subarray(-32);
    for (const key of [
      raw.toString('hex'),
      raw.toString('hex').toUpperCase(),
      raw.toString('base64'),
      der(ed.publicKey).toString('base64'),
      pem(ed.publicKey),
      pem(ed.publicKey).replaceAll('\n', '\\n'),
    ]) {
      expect(check({ type: 'ed25519' }, signature, key)).toBe(true);
      expect(check({ type: 'ed25519', encoding: 'base64url' }, signature, key)).toBe(true);
      expect(check({ type: 'ed25519' }, signature, key, Buffer.from('{}'))).toBe(false);
      expect(check({ type: 'ed25519' }, signature.subarray(1), key)).toBe(false);
    }
  });

  it.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)('rsa and ecdsa with %s', (algorithm) => {
    const byRsa = sign(algorithm, BODY, rsa.privateKey);
    const byEc = sign(algorithm, BODY, ec.privateKey);
    expect(check({ type: 'rsa', algorithm }, byRsa, pem(rsa.publicKey))).toBe(true);
    expect(check({ type: 'rsa', algorithm }, byRsa, der(rsa.publicKey).toString('base64'))).toBe(true);
    expect(check({ type: 'rsa', algorithm }, byRsa, pem(rsa.publicKey), Buffer.from('{}'))).toBe(false);
    expect(check({ type: 'ecdsa', algorithm }, byEc, pem(ec.publicKey))).toBe(true);
    expect(check({ type: 'ecdsa', algorithm }, byEc, pem(ec.publicKey), Buffer.from('{}'))).toBe(false);
    const other = algorithm === 'sha256' ? 'sha512' : 'sha256';
    expect(check({ type: 'rsa', algorithm: other }, byRsa, pem(rsa.publicKey))).toBe(false);
  });

  it('says so where no key is of the right kind, and goes on where one is', () => {
    const signature = sign('sha256', BODY, rsa.privateKey);
    for (const key of [
      pem(ec.publicKey),
      pem(ed.publicKey),
      'not a key',
      'QUJD',
      '-----BEGIN PUBLIC KEY-----',
    ]) {
      expect(check({ type: 'rsa' }, signature, key)).toMatchObject({ code: 'SIGNATURE_INVALID' });
    }
    const sent = { body: BODY, headers: { sig: signature.toString('base64') } };
    const sender = { secret: pem(rsa.publicKey), old: pem(ec.publicKey) };
    expect(
      verify({ type: 'rsa', header: 'sig', secrets: ['$sender.old', '$sender.secret'] }, sent, sender),
    ).toBe(true);
  });

  it('keeps secrets out of what it says', () => {
    const answer = check({ type: 'rsa' }, Buffer.from('x'), 'hunter2');
    expect(answer).toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect(String(answer)).not.toContain('hunter2');
  });
});

describe('token', () => {
  it.each([
    [{ header: 'X-Token' }, { headers: { 'x-token': SECRET } }],
    [{ header: 'Authorization', prefix: 'Bearer ' }, { headers: { authorization: `Bearer ${SECRET}` } }],
    [{ query: 'token' }, { query: new URLSearchParams({ token: SECRET }).toString() }],
    [{ body: 'auth.secret' }, { body: JSON.stringify({ auth: { secret: SECRET } }) }],
    [
      { body: 'secret' },
      {
        body: new URLSearchParams({ secret: SECRET }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
    ],
  ] as const)('at %j', (place, sent: Sent) => {
    const verification: Verification = { type: 'token', ...place };
    expect(verify(verification, sent, { secret: SECRET })).toBe(true);
    expect(verify(verification, sent, { secret: `${SECRET}x` })).toBe(false);
    expect(verify(verification, sent, { secret: SECRET.slice(1) })).toBe(false);
    expect(verify(verification, {}, { secret: SECRET })).toBe(false);
  });

  it('refuses a token twice in the query, an object, and an inherited name', () => {
    const twice = `token=${SECRET}&token=${SECRET}`;
    expect(verify({ type: 'token', query: 'token' }, { query: twice }, { secret: SECRET })).toBe(false);
    const object = { body: '{"t":{"a":1}}' };
    expect(verify({ type: 'token', body: 't' }, object, { secret: '{"a":1}' })).toBe(false);
    const inherited = String(Object.prototype.toString);
    expect(verify({ type: 'token', body: 'toString' }, { body: '{}' }, { secret: inherited })).toBe(false);
    expect(verify({ type: 'token', header: 'constructor' }, {}, { secret: 'x' })).toBe(false);
  });
});

describe('basic', () => {
  const header = (text: string) => ({
    headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` },
  });
  const verification: Verification = {
    type: 'basic',
    username: '$sender.user',
    secrets: ['$sender.secret', '$account.secret'],
  };
  const check = (sent: Sent, sender: Record<string, unknown> = { user: 'ann', secret: 'p:w' }) =>
    verify(verification, sent, sender);

  it('compares name and password', () => {
    expect(check(header('ann:p:w'))).toBe(true);
    expect(
      check({
        headers: { authorization: header('ann:p:w').headers.authorization.replace('Basic', 'basic') },
      }),
    ).toBe(true);
    expect(check(header('ann:p:x'))).toBe(false);
    expect(check(header('bob:p:w'))).toBe(false);
    expect(check(header('ann'))).toBe(false);
    expect(check({ headers: { authorization: 'Basic ???' } })).toBe(false);
    expect(check({ headers: { authorization: 'Bearer YQ==' } })).toBe(false);
    expect(check({})).toBe(false);
  });

  it('says so where the name or every password is empty', () => {
    expect(check(header(':p:w'), { user: '', secret: 'p:w' })).toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect(check(header('ann:'), { user: 'ann', secret: '' })).toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('takes a password of the account', () => {
    const listener = compileListener({ verify: verification });
    const scope = { sender: { user: 'ann' }, account: { secret: 'acc' } };
    expect(listener.verify(request(header('ann:acc')), scope, NOW_MS)).toBe(true);
  });
});
