/**
 * `npm run demo`: the engine on an embedded database in a temporary folder, a small provider in a process of its own, a
 * personalized mailing to 1,000 people, their delivery reports, one broadcast. Exit code 0 only if every count is right.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { behaviourOf } from './behaviour.ts';
import { type Api, callApi } from './call-api.ts';
import { type Expected, expectedCounts } from './expected.ts';
import { explainMessage } from './explain.ts';
import { type Started, startProcess } from './start-process.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PEOPLE = 1_000;
const TOKEN = 'demo-admin-token';
/** Far more than it takes; the demo then says what is missing. */
const GIVE_UP_MS = 120_000;

const phoneOf = (index: number) => `+4930${String(index).padStart(7, '0')}`;
const say = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-demo-'));
  const started: Started[] = [];
  try {
    const provider = await startProcess(join(ROOT, 'demo/sms-provider.ts'), [], {}, /^(\d+)$/m);
    started.push(provider);
    const providerUrl = `http://127.0.0.1:${provider.match}`;
    say(`provider   a process of its own on ${providerUrl}`);
    const engine = await startProcess(
      join(ROOT, 'src/main.ts'),
      ['serve'],
      {
        SLUICEWAY_PORT: '0',
        SLUICEWAY_DATA: folder,
        SLUICEWAY_ADMIN_TOKEN: TOKEN,
        SLUICEWAY_CHANNELS: join(ROOT, 'examples'),
        SLUICEWAY_ALLOW_ADDRESSES: `127.0.0.1:${provider.match}`,
        SLUICEWAY_LOG_LEVEL: 'error',
      },
      /listens on (\S+)/,
    );
    started.push(engine);
    say(`engine     embedded database, listening on ${engine.match}`);
    const api = callApi(engine.match, TOKEN);
    await setUp(api, providerUrl, engine.match);
    const mailing = await sendMailing(api);
    const broadcast = await sendBroadcast(api);
    return await report(api, mailing, broadcast, providerUrl);
  } finally {
    for (const each of started.reverse()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The sender, the resource, and the people, as an admin would set them up. */
async function setUp(api: Api, providerUrl: string, engineUrl: string): Promise<void> {
  const reportUrl = `${engineUrl}/fbp/v1/example_sms/1/main`;
  await fetch(`${providerUrl}/reports-to`, { method: 'POST', body: JSON.stringify({ url: reportUrl }) });
  await api.post('/senders', {
    sid: 'main',
    name: 'Demo sender',
    channel: 'example_sms',
    fields: { token: 'demo-token', base_url: providerUrl, webhook_secret: 'demo-secret' },
  });
  await api.post('/resources', {
    sid: 'shop',
    name: 'Demo shop',
    channels: { example_sms: { brand: 'DEMO' }, example_board: { board_url: `${providerUrl}/board` } },
  });
  const names = ['Ann', 'Ben', 'Chi', 'Dua', 'Eve'];
  const people = Array.from(
    { length: PEOPLE },
    (_, index) => `c-${index},${names[index % names.length]},${index % 3}`,
  );
  const profiles = await api.postText(
    '/profiles/import',
    'text/csv',
    `externalId,name,visits\n${people.join('\n')}\n`,
  );
  const phones = Array.from(
    { length: PEOPLE },
    (_, index) => `c-${index},shop,example_sms,subscribed,${phoneOf(index)}`,
  );
  const subscriptions = await api.postText(
    '/subscriptions/import',
    'text/csv',
    `profile,resource,channel,status,phone\n${phones.join('\n')}\n`,
  );
  say(`import     ${profiles.created} profiles and ${subscriptions.created} subscriptions from CSV`);
}

async function sendMailing(api: Api): Promise<string> {
  const mailing = await api.post('/mailings', {
    name: 'Spring sale',
    channel: 'example_sms',
    sender: 'main',
    resource: 'shop',
    template: {
      text: 'Hi {{ customer.name }}, thanks for {{ customer.visits }} visits. Our sale starts today.',
    },
    audience: { all: true },
  });
  await api.post(`/mailings/${mailing.id}/start`);
  const until = Date.now() + GIVE_UP_MS;
  const expected = expectedCounts(Array.from({ length: PEOPLE }, (_, index) => behaviourOf(phoneOf(index))));
  while (Date.now() < until) {
    const [now, counts] = await Promise.all([
      api.get(`/mailings/${mailing.id}`),
      api.get(`/reports/mailings/${mailing.id}`),
    ]);
    const events = totals(counts);
    const done = expected.reports - missing(expected.events, events);
    progress(`mailing    ${now.state}: ${now.messages} messages, ${done} of ${expected.reports} events in`);
    if (now.state === 'finished' && done >= expected.reports) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  progress('');
  return mailing.id;
}

function missing(
  expected: Readonly<Record<string, number>>,
  events: Readonly<Record<string, number>>,
): number {
  return Object.entries(expected).reduce(
    (sum, [sid, count]) => sum + Math.max(0, count - (events[sid] ?? 0)),
    0,
  );
}

/** Messages by event, as the report counts them. */
function totals(report: { events: readonly { sid: string; count: number }[] }): Record<string, number> {
  return Object.fromEntries(
    report.events.filter((event) => event.count > 0).map((event) => [event.sid, event.count]),
  );
}

async function sendBroadcast(api: Api): Promise<string> {
  const message = await api.post('/messages', {
    channel: 'example_board',
    resource: 'shop',
    template: { title: 'Sale', text: 'Our sale starts today.' },
  });
  const until = Date.now() + GIVE_UP_MS;
  for (;;) {
    const now = await api.get(`/messages/${message.id}`);
    if (!['accepted', 'queued', 'sending'].includes(now.state) || Date.now() > until) return message.id;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function report(
  api: Api,
  mailingId: string,
  broadcastId: string,
  providerUrl: string,
): Promise<number> {
  const people = Array.from({ length: PEOPLE }, (_, index) => behaviourOf(phoneOf(index)));
  const expected: Expected = expectedCounts(people);
  const mailing = await api.get(`/mailings/${mailingId}`);
  const events = totals(await api.get(`/reports/mailings/${mailingId}`));
  const broadcast = await api.get(`/messages/${broadcastId}`);
  const log = (await (await fetch(`${providerUrl}/log`)).json()) as {
    messages: { to: string; requests: number }[];
    board: string[];
  };
  const rows: [string, number, number][] = [
    ...Object.entries(expected.events).map(([sid, count]): [string, number, number] => [
      `event ${sid}`,
      events[sid] ?? 0,
      count,
    ]),
    ...Object.entries(expected.states).map(([state, count]): [string, number, number] => [
      `state ${state}`,
      mailing.counts[state] ?? 0,
      count,
    ]),
    ['messages in the database', mailing.messages, PEOPLE],
    ['messages at the provider', new Set(log.messages.map((message) => message.to)).size, PEOPLE],
    [
      'requests at the provider',
      log.messages.reduce((sum, message) => sum + message.requests, 0),
      expected.requests,
    ],
    ['broadcast posted', broadcast.state === 'sent' ? log.board.length : 0, 1],
  ];
  say('\nwhat happened               count  expected');
  for (const [name, count, wanted] of rows) {
    say(
      `${name.padEnd(26)}${String(count).padStart(7)}${String(wanted).padStart(10)}  ${count === wanted ? 'ok' : 'WRONG'}`,
    );
  }
  const clicked = people.findIndex((behaviour) => behaviour.clicks && behaviour.send === 'busy_once');
  await explainMessage(api, mailingId, `c-${clicked}`, say);
  const right = rows.every(([, count, wanted]) => count === wanted);
  say(right ? '\nEvery count is right.' : '\nSome counts are wrong.');
  return right ? 0 : 1;
}

/** One line that is written over on a terminal, and not at all elsewhere. */
function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${text}`);
}

process.exitCode = await main();
