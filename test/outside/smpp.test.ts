/** Texts to a real SMS centre: parts and alphabets, what each status means, receipts, and links that break. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { createSmpp, type Smpp, type SmppOptions } from '../../src/outside/smpp.ts';
import type { EmittedEvent, ModuleRequest } from '../../src/pipes/contract.ts';
import { until } from '../support/engine.ts';
import { failureOf } from '../support/failure-of.ts';
import { askCentre, type Gateway, type SmsLog, startSmsCentre } from '../support/gateways.ts';

let centre: Gateway<SmsLog>;
let smpp: Smpp;
const opened: Smpp[] = [];
const receipts: { event: EmittedEvent; dedupeKey: string }[] = [];
const logged: string[] = [];
let keep: () => Promise<void> = async () => {};

const place = { accountId: 'account', senderId: 'sender' };
const ID = '0198c0de-0000-7000-8000-0000000000ab';

function open(more: Partial<SmppOptions> = {}): Smpp {
  const made = createSmpp({
    guard: createAddressGuard([`127.0.0.1:${centre.port}`]),
    receipt: async (_place, event, dedupeKey) => {
      await keep();
      receipts.push({ event, dedupeKey });
    },
    log: (_fields, text) => logged.push(text),
    ...more,
  });
  opened.push(made);
  return made;
}

beforeAll(async () => {
  centre = await startSmsCentre();
  smpp = open();
});

afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
  await centre.end();
});

interface Given {
  readonly sender?: object;
  readonly template?: object;
  readonly resource?: object;
}

const textTo = (phone: string, text: string, { sender, template, resource }: Given = {}): ModuleRequest => ({
  module: 'smpp',
  messageId: ID,
  sender: {
    host: '127.0.0.1',
    port: centre.port,
    system_id: 'acme',
    password: 'right',
    source: 'ACME',
    ...sender,
  },
  resource: { ...resource },
  subscription: { phone },
  template: { text, ...template },
});

const takenBy = async (to: string) => (await centre.log()).taken.filter((each) => each.to === to);

test('a text is sent, and is known by the id of the SMS centre', async () => {
  const given = { template: { validity: 90 } };
  const { events, response } = await smpp.send(textTo('+491510000001', 'Hi {you} €', given), place);
  const [taken, ...more] = await takenBy('491510000001');
  expect(more).toEqual([]);
  expect(taken).toMatchObject({ from: 'ACME', coding: 0, esm: 0, ton: [5, 1], validity: '90' });
  expect(taken?.text).toBe('|Hi {you} €');
  expect(events).toEqual([{ sid: 'sent', externalId: taken?.id }]);
  expect(response).toEqual({ message_ids: [taken?.id] });
});

test('any character outside GSM-7 makes it UCS-2', async () => {
  await smpp.send(textTo('+491510000002', 'Привет 🎉'), place);
  expect(await takenBy('491510000002')).toMatchObject([{ coding: 8, esm: 0, text: '|Привет 🎉' }]);
});

test('a long text goes in parts that telephones join, and is known by the last', async () => {
  const text = 'x'.repeat(152) + '€'.repeat(10);
  const { events } = await smpp.send(textTo('+491510000003', text), place);
  const taken = await takenBy('491510000003');
  expect(taken.map((each) => each.text)).toEqual([
    `0003ab0201|${'x'.repeat(152)}`,
    `0003ab0202|${'€'.repeat(10)}`,
  ]);
  expect(taken.every((each) => each.esm === 0x40)).toBe(true);
  expect(events).toEqual([{ sid: 'sent', externalId: taken.at(-1)?.id }]);
});

test.each([
  ['+4930123456', '4930123456', 1],
  ['12345', '12345', 3],
  ['My Shop', 'My Shop', 5],
])('the sender id %s', async (source, from, ton) => {
  const phone = `49151${source.length}77`;
  await smpp.send(textTo(`+${phone}`, 'Hi', { resource: { source } }), place);
  expect(await takenBy(phone)).toMatchObject([{ from, ton: [ton, 1] }]);
});

test('a number that is none is a hard bounce; other refusals are not about the number', async () => {
  const none = await smpp.send(textTo('+491510000404', 'Hi'), place);
  expect(none.events).toMatchObject([{ sid: 'hard_bounce', code: '0x0000000B' }]);
  const refused = await smpp.send(textTo('+491510000403', 'Hi'), place);
  expect(refused.events).toMatchObject([{ sid: 'rejected', code: '0x00000045' }]);
});

test('throttling is put off, and then it passes', async () => {
  for (let time = 0; time < 2; time += 1) {
    const failure = await failureOf(() => smpp.send(textTo('+491510000088', 'Hi'), place));
    expect(failure).toMatchObject({
      code: 'GATEWAY_REFUSED',
      details: { kind: 'rate_limited', statusCode: 0x58 },
    });
    expect(failure.details.ambiguous).toBeUndefined();
  }
  expect((await smpp.send(textTo('+491510000088', 'Hi'), place)).events).toMatchObject([{ sid: 'sent' }]);
});

test('a text of which only the beginning was taken is in doubt', async () => {
  const failure = await failureOf(() => smpp.send(textTo('+491510002002', 'x'.repeat(200)), place));
  expect(failure.details.ambiguous).toBe(true);
  expect(failure.message).toContain('1 of 2 parts');
});

test('a link that breaks before the answer leaves doubt, and the next text opens another', async () => {
  const failure = await failureOf(() => smpp.send(textTo('+491510000000', 'Hi'), place));
  expect(failure).toMatchObject({ code: 'GATEWAY_UNREACHABLE', details: { ambiguous: true } });
  expect((await smpp.send(textTo('+491510000005', 'Hi'), place)).events).toMatchObject([{ sid: 'sent' }]);
});

test('no answer in time leaves doubt', async () => {
  const hasty = open({ times: { answerMs: 50 } });
  const failure = await failureOf(() => hasty.send(textTo('+491510000111', 'Hi'), place));
  expect(failure).toMatchObject({ code: 'GATEWAY_TIMEOUT', details: { ambiguous: true } });
});

test('credentials that are refused are a failure that names no password', async () => {
  const own = open();
  const sender = { password: 'wrong-pw' };
  const failure = await failureOf(() => own.send(textTo('+491510000006', 'Hi', { sender }), place));
  expect(failure).toMatchObject({ code: 'AUTH_FAILED' });
  expect(failure.message).not.toContain('wrong-pw');
  const busy = await failureOf(() =>
    own.send(textTo('+491510000006', 'Hi', { sender: { password: 'busy' } }), place),
  );
  expect(busy).toMatchObject({ code: 'GATEWAY_REFUSED', details: { kind: 'temporary' } });
});

test('one bind carries many texts, never more unanswered than the window', async () => {
  const own = open();
  const before = (await centre.log()).binds.length;
  const sender = { window: 3, system_id: 'window' };
  const phones = Array.from({ length: 30 }, (_, index) => `+4916000${String(index).padStart(2, '0')}7`);
  await Promise.all(phones.map((phone) => own.send(textTo(phone, 'Hi', { sender }), place)));
  const { binds, mostUnderWay, taken } = await centre.log();
  expect(binds.length - before).toBe(1);
  expect(mostUnderWay).toBeLessThanOrEqual(3);
  expect(taken.filter((each) => each.to.startsWith('4916000')).length).toBe(30);
});

test.each([
  ['id=a1&stat=DELIVRD', { sid: 'delivered', externalId: 'a1' }, 'a1/DELIVRD'],
  ['id=a2&stat=UNDELIV&err=012', { sid: 'undelivered', externalId: 'a2', code: 'UNDELIV_012' }, 'a2/UNDELIV'],
  ['id=a3&stat=EXPIRED', { sid: 'undelivered', externalId: 'a3', code: 'EXPIRED' }, 'a3/EXPIRED'],
  ['id=a4&state=2', { sid: 'delivered', externalId: 'a4' }, 'a4/DELIVRD'],
  ['id=a5&state=8', { sid: 'undelivered', externalId: 'a5', code: 'REJECTD' }, 'a5/REJECTD'],
])('receipt %s', async (query, event, dedupeKey) => {
  await smpp.hold(textTo('', '').sender, place);
  receipts.length = 0;
  expect(await askCentre(centre, `/receipt?${query}`)).toBe(0);
  expect(receipts).toEqual([{ event, dedupeKey }]);
});

test('a receipt about the way is taken and changes nothing', async () => {
  receipts.length = 0;
  expect(await askCentre(centre, '/receipt?id=b1&stat=ENROUTE')).toBe(0);
  expect(receipts).toEqual([]);
});

test('a receipt is answered after it was kept; one that cannot be kept comes again', async () => {
  keep = async () => {
    throw new Error('the database is away');
  };
  expect(await askCentre(centre, '/receipt?id=c1&stat=DELIVRD')).toBe(0x64);
  keep = async () => {};
  expect(await askCentre(centre, '/receipt?id=c1&stat=DELIVRD')).toBe(0);
});

test('a text of a person is refused and logged, not lost in silence', async () => {
  logged.length = 0;
  expect(await askCentre(centre, '/text')).toBe(0x66);
  expect(logged.join()).toContain('a text of a person');
});

test('ids that the answer has in hex are found by the decimals of receipts', async () => {
  const own = open();
  const sender = { receipt_ids: 'decimal_of_hex', system_id: 'hex' };
  const { events } = await own.send(textTo('+491510000009', 'Hi', { sender }), { ...place, senderId: 'hex' });
  const [taken] = await takenBy('491510000009');
  expect(events).toEqual([{ sid: 'sent', externalId: String(Number.parseInt(taken?.id ?? '', 16)) }]);
});

test('garbage ends the link and nothing else', async () => {
  await askCentre(centre, '/garbage');
  await until(async () => (await centre.log()).bound === 0);
  expect((await smpp.send(textTo('+491510000010', 'Hi'), place)).events).toMatchObject([{ sid: 'sent' }]);
});

test('a quiet link is asked after', async () => {
  const watchful = open({ times: { enquireMs: 10 } });
  const before = (await centre.log()).enquiries;
  await watchful.hold(textTo('', '').sender, { ...place, senderId: 'quiet' });
  await until(async () => (await centre.log()).enquiries > before + 1);
});

test('a forbidden address is not connected to', async () => {
  const strict = open({ guard: createAddressGuard([]) });
  const failure = await failureOf(() => strict.send(textTo('+491510000011', 'Hi'), place));
  expect(failure.code).toBe('ADDRESS_FORBIDDEN');
});

test('an SMS centre that is not there is weather', async () => {
  const gone = await startSmsCentre();
  await gone.end();
  const guard = createAddressGuard([`127.0.0.1:${gone.port}`]);
  const request = textTo('+491510000012', 'Hi', { sender: { port: gone.port } });
  const failure = await failureOf(() => open({ guard }).send(request, place));
  expect(failure).toMatchObject({ code: 'GATEWAY_UNREACHABLE', details: { kind: 'network' } });
  expect(failure.details.ambiguous).toBeUndefined();
});

test('after closing nothing is sent, and nobody stays bound', async () => {
  const own = open();
  await own.hold(textTo('', '').sender, { ...place, senderId: 'closing' });
  const { bound } = await centre.log();
  await own.close();
  await until(async () => (await centre.log()).bound === bound - 1);
  expect((await failureOf(() => own.send(textTo('+491510000013', 'Hi'), place))).code).toBe('SHUTDOWN');
});
