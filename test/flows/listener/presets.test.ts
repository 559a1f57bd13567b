import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { VERIFICATION_PRESETS, type VerificationPreset } from '../../../src/channel/document.ts';
import { NOW_SECONDS, type Sent, verify } from './support.ts';

const JSON_BODY = '{"id":"p-9","st":"DLVRD","näme":"ü"}';
const SECRET = 'whsec_c2VjcmV0IGJ5dGVz';
const URL_CALLED = 'https://hooks.example.com/fbp/v1/acme/1/main?x=1&y=a%20b';

const mac = (algorithm: string, key: string | Buffer, text: string, encoding: 'hex' | 'base64') =>
  createHmac(algorithm, key).update(text, 'utf8').digest(encoding);

const ed25519 = generateKeyPairSync('ed25519');
const ed25519Raw = ed25519.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ecKey = ec.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const formBody = 'To=%2B15550100&MessageSid=SM1&MessageStatus=delivered&Body=a+b';
const formText = 'Bodya bMessageSidSM1MessageStatusdeliveredTo+15550100';
const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
const t = String(NOW_SECONDS);

/** Each provider's signature, made here as its documentation describes it. */
const SIGNED: { readonly [P in VerificationPreset]: { readonly secret: string; readonly sent: Sent } } = {
  discord: {
    secret: ed25519Raw.toString('hex'),
    sent: {
      body: JSON_BODY,
      headers: {
        'X-Signature-Ed25519': sign(null, Buffer.from(t + JSON_BODY), ed25519.privateKey).toString('hex'),
        'X-Signature-Timestamp': t,
      },
    },
  },
  github: {
    secret: SECRET,
    sent: {
      body: JSON_BODY,
      headers: { 'X-Hub-Signature-256': `sha256=${mac('sha256', SECRET, JSON_BODY, 'hex')}` },
    },
  },
  gitlab: { secret: SECRET, sent: { body: JSON_BODY, headers: { 'X-Gitlab-Token': SECRET } } },
  line: {
    secret: SECRET,
    sent: { body: JSON_BODY, headers: { 'x-line-signature': mac('sha256', SECRET, JSON_BODY, 'base64') } },
  },
  mailgun: {
    secret: SECRET,
    sent: {
      body: JSON.stringify({
        signature: { timestamp: t, token: 'tok', signature: mac('sha256', SECRET, `${t}tok`, 'hex') },
        'event-data': { event: 'delivered' },
      }),
    },
  },
  mandrill: {
    secret: SECRET,
    sent: {
      url: URL_CALLED,
      body: formBody,
      headers: { ...FORM, 'X-Mandrill-Signature': mac('sha1', SECRET, URL_CALLED + formText, 'base64') },
    },
  },
  meta: {
    secret: SECRET,
    sent: {
      body: JSON_BODY,
      headers: { 'X-Hub-Signature-256': `sha256=${mac('sha256', SECRET, JSON_BODY, 'hex')}` },
    },
  },
  sendgrid: {
    secret: ecKey,
    sent: {
      body: JSON_BODY,
      headers: {
        'X-Twilio-Email-Event-Webhook-Signature': sign(
          'sha256',
          Buffer.from(t + JSON_BODY),
          ec.privateKey,
        ).toString('base64'),
        'X-Twilio-Email-Event-Webhook-Timestamp': t,
      },
    },
  },
  shopify: {
    secret: SECRET,
    sent: {
      body: JSON_BODY,
      headers: { 'X-Shopify-Hmac-Sha256': mac('sha256', SECRET, JSON_BODY, 'base64') },
    },
  },
  slack: {
    secret: SECRET,
    sent: {
      body: JSON_BODY,
      headers: {
        'X-Slack-Signature': `v0=${mac('sha256', SECRET, `v0:${t}:${JSON_BODY}`, 'hex')}`,
        'X-Slack-Request-Timestamp': t,
      },
    },
  },
  standard_webhooks: {
    secret: SECRET,
    sent: {
      body: JSON_BODY,
      headers: {
        'webhook-id': 'msg_1',
        'webhook-timestamp': t,
        'webhook-signature': `v1,${mac('sha256', Buffer.from('secret bytes'), `msg_1.${t}.${JSON_BODY}`, 'base64')}`,
      },
    },
  },
  stripe: {
    secret: SECRET,
    sent: {
      body: JSON_BODY,
      headers: { 'Stripe-Signature': `t=${t},v1=${mac('sha256', SECRET, `${t}.${JSON_BODY}`, 'hex')},v0=00` },
    },
  },
  svix: {
    secret: SECRET,
    sent: {
      body: JSON_BODY,
      headers: {
        'svix-id': 'msg_1',
        'svix-timestamp': t,
        'svix-signature': `v1,${mac('sha256', Buffer.from('secret bytes'), `msg_1.${t}.${JSON_BODY}`, 'base64')}`,
      },
    },
  },
  telegram: {
    secret: SECRET,
    sent: { body: JSON_BODY, headers: { 'X-Telegram-Bot-Api-Secret-Token': SECRET } },
  },
  telnyx: {
    secret: ed25519Raw.toString('base64'),
    sent: {
      body: JSON_BODY,
      headers: {
        'telnyx-signature-ed25519': sign(null, Buffer.from(`${t}|${JSON_BODY}`), ed25519.privateKey).toString(
          'base64',
        ),
        'telnyx-timestamp': t,
      },
    },
  },
  twilio: {
    secret: SECRET,
    sent: {
      url: URL_CALLED,
      body: formBody,
      headers: { ...FORM, 'X-Twilio-Signature': mac('sha1', SECRET, URL_CALLED + formText, 'base64') },
    },
  },
  viber: {
    secret: SECRET,
    sent: {
      body: JSON_BODY,
      headers: { 'X-Viber-Content-Signature': mac('sha256', SECRET, JSON_BODY, 'hex') },
    },
  },
};

const otherEd25519 = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
const otherEc = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
  type: 'spki',
  format: 'der',
});
const OTHER: { readonly [P in VerificationPreset]?: string } = {
  discord: otherEd25519.subarray(-32).toString('hex'),
  telnyx: otherEd25519.toString('base64'),
  sendgrid: otherEc.toString('base64'),
  standard_webhooks: 'whsec_b3RoZXI=',
  svix: 'whsec_b3RoZXI=',
};
/** Presets whose token says nothing about the body, by their provider's design. */
const BODY_UNSIGNED: readonly VerificationPreset[] = ['gitlab', 'telegram', 'mailgun'];
const TIMED: readonly VerificationPreset[] = ['slack', 'stripe', 'standard_webhooks', 'svix', 'telnyx'];

describe.each(VERIFICATION_PRESETS)('preset %s', (preset) => {
  const { secret, sent } = SIGNED[preset];

  it('accepts what its provider signs', () => {
    expect(verify({ preset }, sent, { secret })).toBe(true);
  });

  it('refuses it under another secret', () => {
    expect(verify({ preset }, sent, { secret: OTHER[preset] ?? 'another secret' })).toBe(false);
  });

  it('accepts it while secrets rotate', () => {
    const sender = { secret, old: OTHER[preset] ?? 'another secret' };
    expect(verify({ preset, secrets: ['$sender.old', '$sender.secret'] }, sent, sender)).toBe(true);
    expect(verify({ preset, secrets: ['$sender.secret', '$sender.gone'] }, sent, sender)).toBe(true);
  });

  it('refuses a request without its headers and body', () => {
    expect(verify({ preset }, { url: URL_CALLED }, { secret })).toBe(false);
  });

  it('gives a Failure, not true, without a secret', () => {
    for (const sender of [undefined, {}, { secret: '' }, { secret: '  ' }, { secret: null }]) {
      expect(verify({ preset }, sent, sender)).toMatchObject({ code: 'SIGNATURE_INVALID', status: 401 });
    }
  });
});

it.each(VERIFICATION_PRESETS.filter((preset) => !BODY_UNSIGNED.includes(preset)))(
  '%s signs its body',
  (preset) => {
    const { secret, sent } = SIGNED[preset];
    expect(verify({ preset }, { ...sent, body: `${String(sent.body)} ` }, { secret })).toBe(false);
  },
);

it.each(TIMED)('%s takes 300 seconds either way, not 301', (preset) => {
  const { secret, sent } = SIGNED[preset];
  const at = (seconds: number) => verify({ preset }, sent, { secret }, (NOW_SECONDS + seconds) * 1000);
  expect([-301, -300, 300, 301].map(at)).toEqual([false, true, true, false]);
  expect(verify({ preset, tolerance: 10 }, sent, { secret }, (NOW_SECONDS + 11) * 1000)).toBe(false);
});

it.each(['discord', 'sendgrid', 'slack', 'telnyx'] as const)('%s signs its timestamp', (preset) => {
  const { secret, sent } = SIGNED[preset];
  const headers = Object.fromEntries(
    Object.entries(sent.headers ?? {}).map(([name, value]) => [
      name,
      value === t ? String(NOW_SECONDS + 1) : value,
    ]),
  );
  expect(verify({ preset }, { ...sent, headers }, { secret })).toBe(false);
});

it('stripe signs its timestamp and takes any of several signatures', () => {
  const { secret, sent } = SIGNED.stripe;
  const header = sent.headers?.['Stripe-Signature'] ?? '';
  const later = header.replace(`t=${t}`, `t=${NOW_SECONDS + 1}`);
  expect(verify({ preset: 'stripe' }, { ...sent, headers: { 'stripe-signature': later } }, { secret })).toBe(
    false,
  );
  const several = header.replace('v1=', `v1=${'0'.repeat(64)}, v1=`);
  expect(
    verify({ preset: 'stripe' }, { ...sent, headers: { 'stripe-signature': several } }, { secret }),
  ).toBe(true);
});

it('standard webhooks: several signatures, ids that are signed, and Ed25519 keys', () => {
  const { secret, sent } = SIGNED.standard_webhooks;
  const headers = sent.headers ?? {};
  const good = headers['webhook-signature'] ?? '';
  const check = (changed: Record<string, string>, key = secret) =>
    verify({ type: 'standard_webhooks' }, { ...sent, headers: { ...headers, ...changed } }, { secret: key });
  expect(check({ 'webhook-signature': `v1,AAAA v1a,BBBB ${good}` })).toBe(true);
  expect(check({ 'webhook-signature': good.replace('v1,', 'v2,') })).toBe(false);
  expect(check({ 'webhook-id': 'msg_2' })).toBe(false);
  const signature = sign(null, Buffer.from(`msg_1.${t}.${JSON_BODY}`), ed25519.privateKey).toString('base64');
  const key = `whpk_${ed25519Raw.toString('base64')}`;
  expect(check({ 'webhook-signature': `${good} v1a,${signature}` }, key)).toBe(true);
  expect(check({ 'webhook-signature': `v1,${signature}` }, key)).toBe(false);
  expect(check({}, key)).toBe(false);
});

it('mailgun signs its token and its timestamp', () => {
  const { secret, sent } = SIGNED.mailgun;
  const body = String(sent.body);
  expect(verify({ preset: 'mailgun' }, { body: body.replace('"tok"', '"kot"') }, { secret })).toBe(false);
  expect(
    verify({ preset: 'mailgun' }, { body: body.replace(`"${t}"`, `"${NOW_SECONDS + 1}"`) }, { secret }),
  ).toBe(false);
  // The documents show the timestamp as text and as number.
  expect(verify({ preset: 'mailgun' }, { body: body.replace(`"${t}"`, t) }, { secret })).toBe(true);
});

describe('twilio', () => {
  const token = '12345';

  it('agrees with the example of its own libraries', () => {
    const body = new URLSearchParams({
      CallSid: 'CA1234567890ABCDE',
      Caller: '+14158675309',
      Digits: '1234',
      From: '+14158675309',
      To: '+18005551212',
    }).toString();
    const sent = {
      url: 'https://mycompany.com/myapp.php?foo=1&bar=2',
      body,
      headers: { ...FORM, 'x-twilio-signature': 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' },
    };
    expect(verify({ preset: 'twilio' }, sent, { secret: token })).toBe(true);
    expect(verify({ preset: 'twilio' }, { ...sent, url: `${sent.url}3` }, { secret: token })).toBe(false);
  });

  it('takes the address with and without its port', () => {
    for (const [called, signed] of [
      ['https://a.example/x?q=1', 'https://a.example:443/x?q=1'],
      ['http://a.example:8080/x', 'http://a.example/x'],
      ['http://a.example/x', 'http://a.example:80/x'],
    ] as const) {
      const headers = { ...FORM, 'x-twilio-signature': mac('sha1', token, `${signed}a1a2b`, 'base64') };
      const sent = { url: called, body: 'b=&a=2&a=1&a=2', headers };
      expect(verify({ preset: 'twilio' }, sent, { secret: token })).toBe(true);
    }
  });

  it('takes a JSON body only with its hash in the signed address', () => {
    const hash = createHash('sha256').update(JSON_BODY).digest('hex');
    const url = `https://a.example/x?bodySHA256=${hash}`;
    const signed = (address: string) => ({
      'content-type': 'application/json',
      'x-twilio-signature': mac('sha1', token, address, 'base64'),
    });
    const at = (sent: Sent) => verify({ preset: 'twilio' }, sent, { secret: token });
    expect(at({ url, body: JSON_BODY, headers: signed(url) })).toBe(true);
    expect(at({ url, body: `${JSON_BODY} `, headers: signed(url) })).toBe(false);
    const bare = 'https://a.example/x';
    expect(at({ url: bare, body: JSON_BODY, headers: signed(bare) })).toBe(false);
    expect(at({ url: bare, body: '', headers: signed(bare) })).toBe(true);
  });

  it('says so where the address is not known', () => {
    const { secret, sent } = SIGNED.twilio;
    const { url: _, ...rest } = sent;
    const answer = verify({ preset: 'twilio' }, rest, { secret });
    expect(answer).toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect(String(answer)).toContain('SLUICEWAY_PUBLIC_URL');
  });
});

it('agrees with published examples', () => {
  const svix = {
    body: '{"test": 2432232314}',
    headers: {
      'svix-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'svix-timestamp': '1614265330',
      'svix-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
  };
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  expect(verify({ preset: 'svix' }, svix, { secret }, 1_614_265_330_000)).toBe(true);
  const meta = 'sha256=0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914';
  expect(
    verify(
      { preset: 'meta' },
      { body: 'test', headers: { 'x-hub-signature-256': meta } },
      { secret: 'secret' },
    ),
  ).toBe(true);
  const sendgrid = {
    body: '{"category":"example_payload","event":"test_event","message_id":"message_id"}',
    headers: {
      'x-twilio-email-event-webhook-timestamp': '1588788367',
      'x-twilio-email-event-webhook-signature':
        'MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=',
    },
  };
  const key =
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==';
  expect(verify({ preset: 'sendgrid' }, sendgrid, { secret: key })).toBe(true);
});
