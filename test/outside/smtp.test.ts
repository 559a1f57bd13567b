/** Emails to a real mail server: what each answer means, what the message looks like, and who is never asked. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { createSmtp, type Smtp, type SmtpOptions } from '../../src/outside/smtp.ts';
import type { HttpAnswer, ModuleRequest } from '../../src/pipes/contract.ts';
import { failureOf } from '../support/failure-of.ts';
import { type Gateway, type MailLog, startMailServer } from '../support/gateways.ts';
import { TEST_CERTIFICATE } from './certificate.ts';

let server: Gateway<MailLog>;
let bare: Gateway<MailLog>;
let smtp: Smtp;
const opened: Smtp[] = [];

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const ID = '0198c0de-0000-7000-8000-000000000001';

const noFetch = async (): Promise<HttpAnswer> => {
  throw new Error('nothing is fetched here');
};

function open(more: Partial<SmtpOptions> = {}): Smtp {
  const guard = createAddressGuard([`localhost:${server.port}`, `localhost:${bare.port}`]);
  const made = createSmtp({
    guard,
    fetch: noFetch,
    now: () => NOW_MS,
    trustedCertificates: [TEST_CERTIFICATE],
    ...more,
  });
  opened.push(made);
  return made;
}

beforeAll(async () => {
  [server, bare] = await Promise.all([startMailServer(), startMailServer({ NO_STARTTLS: '1' })]);
  smtp = open();
});

afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
  await Promise.all([server.end(), bare.end()]);
});

interface Given {
  readonly sender?: object;
  readonly resource?: object;
  readonly template?: object;
}

const emailTo = (email: string, { sender, resource, template }: Given = {}): ModuleRequest => ({
  module: 'smtp',
  messageId: ID,
  sender: {
    host: 'localhost',
    port: server.port,
    secure: 'starttls',
    user: 'news',
    password: 'right',
    from_address: 'news@example.com',
    from_name: 'Example News',
    ...sender,
  },
  resource: { ...resource },
  subscription: { email },
  template: { subject: 'Hello', html: '<p>Hi</p>', ...template },
});

const takenBy = async (to: string) => (await server.log()).taken.find((each) => each.to === to);

test('an email is sent encrypted and logged in, and is known by its Message-ID', async () => {
  const answer = await smtp.send(emailTo('ann@example.org'));
  expect(answer.events).toEqual([{ sid: 'sent', externalId: `${ID}@example.com` }]);
  expect(answer.request).toMatchObject({ from: 'news@example.com', to: 'ann@example.org' });
  expect(answer.response).toEqual({ reply: '250 queued as 42' });
  const taken = await takenBy('ann@example.org');
  expect(taken).toMatchObject({ from: 'news@example.com', secure: true, user: 'news' });
  expect(taken?.message).toContain(`Message-ID: <${ID}@example.com>`);
  expect(taken?.message).toContain('Date: Fri, 02 Jan 2026 03:04:05 +0000');
  expect(taken?.message).toContain('From: Example News <news@example.com>');
  expect(JSON.stringify(answer)).not.toContain('right');
});

test('the headers and parts of a full email', async () => {
  const fetched: string[] = [];
  const withFiles = open({
    fetch: async ({ url }) => {
      fetched.push(url);
      return { status: 200, headers: {}, body: Buffer.from('%PDF-1.4') };
    },
  });
  await withFiles.send(
    emailTo('full-email@example.org', {
      resource: { reply_to: 'help@example.com', unsubscribe_url: 'https://example.com/u?m={id}' },
      template: {
        preheader: 'Only <today>',
        html: '<html><body class="x"><p>Hi</p></body></html>',
        text: 'Hi in plain',
        attachments: [{ name: 'a.pdf', url: 'https://files.test/a.pdf', type: 'application/pdf', size: 8 }],
      },
    }),
  );
  const { message = '' } = (await takenBy('full-email@example.org')) ?? {};
  expect(fetched).toEqual(['https://files.test/a.pdf']);
  expect(message).toContain(`List-Unsubscribe: <https://example.com/u?m=${ID}>`);
  expect(message).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
  expect(message).toContain('Reply-To: help@example.com');
  expect(message).toContain('Hi in plain');
  expect(message.replace(/=\r\n/g, '')).toMatch(
    /<body class=(3D)?"x"><div [^>]*>Only &#60;today&#62;<\/div><p>/,
  );
  expect(message).toContain('filename=a.pdf');
  expect(message).toContain(Buffer.from('%PDF-1.4').toString('base64'));
});

test('what the content says about its name and answers goes before sender and resource', async () => {
  await smtp.send(
    emailTo('own-name@example.org', {
      resource: { reply_to: 'help@example.com' },
      template: { from_name: 'Nora of Example', reply_to: 'nora@example.com' },
    }),
  );
  const { message } = (await takenBy('own-name@example.org')) ?? {};
  expect(message).toContain('From: Nora of Example <news@example.com>');
  expect(message).toContain('Reply-To: nora@example.com');
  expect(message).not.toContain('help@example.com');
});

test('a value cannot add a header or a recipient', async () => {
  await smtp.send(
    emailTo('one@example.org', {
      template: { subject: 'Hi\r\nBcc: evil@example.net\r\nX-Evil: 1', reply_to: 'a@b.c\r\nX-Evil: 3' },
      sender: { from_name: 'N\r\nX-Evil: 2' },
    }),
  );
  const { message = '' } = (await takenBy('one@example.org')) ?? {};
  expect(message).not.toMatch(/^(Bcc|X-Evil):/m);
  const { recipients } = await server.log();
  expect(recipients).not.toContain('evil@example.net');
});

test.each([
  ['nobody@example.org', 'hard_bounce', '5.1.1'],
  ['plain@example.org', 'hard_bounce', '550'],
  ['ghost@example.org', 'hard_bounce', '5.1.1'],
  ['full@example.org', 'soft_bounce', '5.2.2'],
  ['blocked@example.org', 'rejected', '5.7.1'],
  ['spam@example.org', 'rejected', '5.7.1'],
])('%s is a %s with code %s', async (to, sid, code) => {
  const { events } = await smtp.send(emailTo(to));
  expect(events).toEqual([{ sid, code, message: expect.stringContaining(code) }]);
});

test('4xx is put off, and says so', async () => {
  for (let time = 0; time < 2; time += 1) {
    const failure = await failureOf(() => smtp.send(emailTo('later@example.org')));
    expect(failure).toMatchObject({
      code: 'GATEWAY_REFUSED',
      details: { kind: 'temporary', statusCode: 451 },
    });
    expect(failure.details.ambiguous).toBeUndefined();
  }
  expect((await smtp.send(emailTo('later@example.org'))).events).toMatchObject([{ sid: 'sent' }]);
});

test('a connection that goes after the whole message leaves it unknown', async () => {
  const failure = await failureOf(() => smtp.send(emailTo('silent@example.org')));
  expect(failure).toMatchObject({ code: 'GATEWAY_UNREACHABLE', details: { ambiguous: true } });
  expect(failure.message).toContain('may have been taken');
});

test('a connection that goes before the message is complete leaves no doubt', async () => {
  const big = 'x'.repeat(40 * 1024 * 1024);
  const failure = await failureOf(() => smtp.send(emailTo('cut@example.org', { template: { html: big } })));
  expect(failure).toMatchObject({ code: 'GATEWAY_UNREACHABLE', blame: 'weather' });
  expect(failure.details.ambiguous).toBe(false);
});

test('credentials and sender addresses that are refused are failures, not events', async () => {
  const wrong = await failureOf(() =>
    smtp.send(emailTo('a@example.org', { sender: { password: 'wrong-secret' } })),
  );
  expect(wrong).toMatchObject({ code: 'AUTH_FAILED', details: { statusCode: 535 } });
  expect(wrong.message).not.toContain('wrong-secret');
  const busy = await failureOf(() => smtp.send(emailTo('a@example.org', { sender: { password: 'busy' } })));
  expect(busy).toMatchObject({ code: 'GATEWAY_REFUSED', details: { kind: 'temporary' } });
  const none = await failureOf(() => smtp.send(emailTo('a@example.org', { sender: { password: '' } })));
  expect(none.code).toBe('AUTH_FAILED');
  const stranger = emailTo('a@example.org', { sender: { from_address: 'stranger@example.com' } });
  expect(await failureOf(() => smtp.send(stranger))).toMatchObject({
    code: 'GATEWAY_REFUSED',
    details: { kind: 'refused', statusCode: 553 },
  });
});

test('nothing goes to a server that does not encrypt, unless the sender says so', async () => {
  const sender = { port: bare.port };
  const failure = await failureOf(() => smtp.send(emailTo('a@example.org', { sender })));
  expect(failure.code).toBe('GATEWAY_REFUSED');
  expect((await bare.log()).recipients).toEqual([]);
  const answer = await smtp.send(emailTo('a@example.org', { sender: { ...sender, secure: 'none' } }));
  expect(answer.events).toMatchObject([{ sid: 'sent' }]);
});

test('a certificate that nobody trusts is refused', async () => {
  const strict = open({ trustedCertificates: [] });
  const failure = await failureOf(() => strict.send(emailTo('untrusted@example.org')));
  expect(failure).toMatchObject({ code: 'GATEWAY_UNREACHABLE', details: { ambiguous: false } });
  expect(await takenBy('untrusted@example.org')).toBeUndefined();
});

test('connections are used again, and no more are opened than the sender allows', async () => {
  const before = (await server.log()).connections;
  const own = open();
  const sender = { connections: 2 };
  await Promise.all(
    Array.from({ length: 40 }, (_, index) => own.send(emailTo(`p${index}@example.org`, { sender }))),
  );
  await own.send(emailTo('nobody@example.org', { sender }));
  await own.send(emailTo('after@example.org', { sender }));
  expect((await server.log()).connections - before).toBe(2);
});

test('forbidden addresses are not connected to, whatever name leads there', async () => {
  const strict = open({ guard: createAddressGuard([]) });
  const before = (await server.log()).connections;
  for (const host of ['localhost', '127.0.0.1', '2130706433', '[::1]']) {
    const failure = await failureOf(() => strict.send(emailTo('a@example.org', { sender: { host } })));
    expect(failure.code).toBe('ADDRESS_FORBIDDEN');
  }
  expect((await server.log()).connections).toBe(before);
});

test('a server that is not there is weather', async () => {
  const gone = await startMailServer();
  await gone.end();
  const guard = createAddressGuard([`127.0.0.1:${gone.port}`]);
  const sender = { host: '127.0.0.1', port: gone.port };
  const failure = await failureOf(() => open({ guard }).send(emailTo('a@example.org', { sender })));
  expect(failure).toMatchObject({
    code: 'GATEWAY_UNREACHABLE',
    details: { kind: 'network', ambiguous: false },
  });
});

test('an attachment that cannot be fetched stops the email, without doubt about it', async () => {
  const attachments = [{ name: 'a.pdf', url: 'https://files.test/a.pdf', type: 'application/pdf', size: 8 }];
  const late = open({
    fetch: async () => {
      throw new Failure('HTTP_TIMEOUT', 'files.test did not answer.', { kind: 'timeout', ambiguous: true });
    },
  });
  const failure = await failureOf(() =>
    late.send(emailTo('file@example.org', { template: { attachments } })),
  );
  expect(failure).toMatchObject({ code: 'HTTP_TIMEOUT', details: { ambiguous: false } });
  const missing = open({ fetch: async () => ({ status: 404, headers: {}, body: Buffer.alloc(0) }) });
  expect(
    await failureOf(() => missing.send(emailTo('file@example.org', { template: { attachments } }))),
  ).toMatchObject({
    code: 'HTTP_STATUS',
    details: { kind: 'client' },
  });
  expect(await takenBy('file@example.org')).toBeUndefined();
});

test('after closing nothing is sent', async () => {
  const own = open();
  await own.send(emailTo('last@example.org'));
  await own.close();
  expect((await failureOf(() => own.send(emailTo('never@example.org')))).code).toBe('SHUTDOWN');
});
