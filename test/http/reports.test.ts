import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventRoutes } from '../../src/http/routes/events.ts';
import { messageRoutes } from '../../src/http/routes/messages.ts';
import { reportRoutes } from '../../src/http/routes/reports.ts';
import { createIds } from '../../src/ids.ts';
import { STATE_CODES } from '../../src/storage/states.ts';
import { at, pointersOf, rowsOf } from '../support/answers.ts';
import { type Api, NOW_MS, openApi } from '../support/api.ts';
import { texts } from '../support/channels.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const channel = {
  ...texts,
  events: [
    { sid: 'accepted', id: 100_001, name: 'Accepted', color: '#607d8b', type: 'send' },
    { sid: 'delivered', id: 100_002, name: 'Delivered', color: '#2e7d32', type: 'deliv' },
    { sid: 'clicked', id: 100_003, name: 'Clicked', color: '#1565c0', type: 'custom' },
  ],
} as const;

let api: Api;
let mailing = '';
let launch = '';
let messages: string[] = [];

/** A row of a table, its columns by name. */
const insert = (table: string, row: Readonly<Record<string, string | number | Date | null>>) => {
  const names = Object.keys(row);
  const places = names.map((_, index) => `$${index + 1}`);
  return api.runtime.database.query(
    `insert into ${table} (${names.join(', ')}) values (${places.join(', ')})`,
    Object.values(row),
  );
};

interface Happening {
  readonly message: number;
  readonly event: number | null;
  readonly type: string;
  /** When it happened, and when we heard of it, in milliseconds before now. */
  readonly ago: number;
  readonly heard?: number;
}

const happen = ({ message, event, type, ago, heard = ago }: Happening, accountId = api.accountId) =>
  insert('event', {
    id: createIds({ now: () => NOW_MS - heard }).next(),
    account_id: accountId,
    message_id: messages[message] ?? '',
    channel_id: channel.id,
    launch_id: message < 2 ? launch : null,
    event_id: event,
    type,
    attempt: 1,
    time: new Date(NOW_MS - ago),
    text: message === 0 ? '=cmd()' : null,
  });

const notHere = () => Promise.reject(new Error('not here'));

beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => [
    ...eventRoutes(runtime, directory),
    ...reportRoutes(runtime, directory),
    ...messageRoutes(runtime, directory, { message: notHere, triggered: notHere }, () => {}),
  ]);
  await api.addChannel(channel);
  const { ids, database } = api.runtime;
  const account_id = api.accountId;
  const versions = await database.query<{ id: number }>('select id from channel_version');
  const channel_version_id = versions[0]?.id ?? 0;
  const at = new Date(NOW_MS - 2 * HOUR);
  const resource_id = ids.next();
  const made = { created_at: at, updated_at: at };
  await insert('resource', {
    id: resource_id,
    account_id,
    sid: 'brand',
    name: 'Brand',
    channels: '{}',
    ...made,
  });
  mailing = ids.next();
  // The messages of a launch have ids that begin as its own does.
  const beside = createIds({ now: () => at.getTime() - 1 });
  launch = beside.next();
  const content = { content: '{}', fields: '{}', audience: '{}', class: 'marketing' };
  await insert('mailing', {
    ...{ id: mailing, account_id, name: 'June', channel_id: channel.id, resource_id, state: 'finished' },
    ...content,
    ...made,
  });
  await insert('launch', {
    ...{
      id: launch,
      mailing_id: mailing,
      account_id,
      number: 1,
      kind: 'real',
      channel_version_id,
      resource_id,
    },
    ...{ ...content, opening: 0, state: 'finished', started_at: at },
  });
  const states = ['delivered', 'failed', 'sent'] as const;
  messages = [beside.next(), beside.next(), createIds({ now: () => at.getTime() + 1 }).next()];
  for (const [index, id] of messages.entries()) {
    await insert('message', {
      ...{ id, account_id, channel_id: channel.id, channel_version_id, lane_id: 1, resource_id },
      launch_id: index < 2 ? launch : null,
      state: STATE_CODES[states[index] ?? 'sent'],
      reason: index === 1 ? 'HTTP_STATUS' : null,
      external_id: index === 1 ? '=1+1,"x"' : null,
      class: 'marketing',
      updated_at: at,
    });
    const state = STATE_CODES[states[index] ?? 'sent'];
    if (index < 2) await insert('launch_count', { launch_id: launch, state, count: 1 });
  }
  await happen({ message: 0, event: 100_001, type: 'send', ago: 2 * HOUR + 5_000, heard: 2 * HOUR });
  await happen({ message: 0, event: 100_002, type: 'deliv', ago: HOUR });
  await happen({ message: 0, event: 100_003, type: 'custom', ago: HOUR });
  await happen({ message: 0, event: 100_003, type: 'custom', ago: 10 });
  await happen({ message: 1, event: 100_003, type: 'custom', ago: 10 });
  await happen({ message: 2, event: 100_003, type: 'custom', ago: 20 });
  await happen({ message: 2, event: 99_999, type: 'custom', ago: 3 * DAY, heard: HOUR });
  await happen({ message: 2, event: null, type: 'stop', ago: 9 * DAY });
  const stranger = await api.otherAccount('strangers');
  await happen({ message: 2, event: 100_001, type: 'send', ago: 10 }, stranger);
});
afterAll(() => api.close());

const csv = { headers: { accept: 'text/csv' } };
const linesOf = (text: string): Record<string, string>[] => parse(text, { columns: true, bom: true });

describe('the report of a channel', () => {
  it('counts each message once, at its first occurrence, under the names of the channel', async () => {
    const report = await api.call('GET /reports/channels/acme_sms');
    expect(report.status).toBe(200);
    expect(at(report.body, 'step')).toBe('day');
    const events = at(report.body, 'events') as Record<string, unknown>[];
    expect(events.map(({ sid, name, color, count, total }) => [sid, name, color, count, total])).toEqual([
      ['accepted', 'Accepted', '#607d8b', 1, 1],
      ['delivered', 'Delivered', '#2e7d32', 1, 1],
      ['clicked', 'Clicked', '#1565c0', 3, 4],
      ['99999', '99999', null, 1, 1],
    ]);
    expect(at(report.body, 'messages')).toEqual({ delivered: 1, failed: 1, sent: 1 });
  });

  it('shows when it happened, hour by hour, and adds up to the whole', async () => {
    const from = new Date(NOW_MS - 3 * HOUR).toISOString();
    const report = await api.call(`GET /reports/channels/acme_sms?step=hour&from=${from}`);
    expect(at(report.body, 'events.2.series')).toEqual([
      { time: '2026-06-01T09:00:00.000Z', count: 0, total: 0 },
      { time: '2026-06-01T10:00:00.000Z', count: 0, total: 0 },
      { time: '2026-06-01T11:00:00.000Z', count: 3, total: 4 },
      { time: '2026-06-01T12:00:00.000Z', count: 0, total: 0 },
    ]);
  });

  it('holds to its range, whenever we heard of it', async () => {
    const of = async (from: number, to: number) => {
      const range = `from=${new Date(NOW_MS - from).toISOString()}&to=${new Date(NOW_MS - to).toISOString()}`;
      const report = await api.call(`GET /reports/channels/acme_sms?${range}`);
      const events = at(report.body, 'events') as Record<string, unknown>[];
      return events.filter((event) => event.total !== 0).map((event) => event.sid);
    };
    expect(await of(4 * DAY, 2 * DAY)).toEqual(['99999']);
    expect(await of(10 * DAY, 8 * DAY)).toEqual(['stop']);
    expect(await of(30 * DAY, 20 * DAY)).toEqual([]);
  });

  it('refuses ranges that make no picture', async () => {
    const far = await api.call('GET /reports/channels/acme_sms?from=2020-01-01T00:00:00Z&step=hour');
    expect(far).toMatchObject({ status: 422, body: { detail: expect.stringContaining('step=day') } });
    const empty = await api.call(
      'GET /reports/channels/acme_sms?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z',
    );
    expect(pointersOf(empty)).toEqual(['/query/to']);
    const impossible = await api.call('GET /reports/channels/acme_sms?from=2016-12-31T23:59:60Z');
    expect(pointersOf(impossible)).toEqual(['/query/from']);
    expect((await api.call('GET /reports/channels/nobody')).status).toBe(404);
  });

  it('comes as CSV', async () => {
    const answer = await api.call('GET /reports/channels/acme_sms', csv);
    expect(answer.headers.get('content-type')).toMatch(/^text\/csv/);
    const clicks = linesOf(answer.text).filter((line) => line.event === 'clicked');
    expect(clicks.at(-1)).toEqual({
      event: 'clicked',
      name: 'Clicked',
      type: 'custom',
      color: '#1565c0',
      time: '2026-06-01T00:00:00.000Z',
      count: '3',
      total: '4',
    });
  });
});

describe('the report of a mailing', () => {
  it('has what happened to its messages from its first launch on', async () => {
    const report = await api.call(`GET /reports/mailings/${mailing}`);
    expect(report.status).toBe(200);
    expect(report.body).toMatchObject({ step: 'hour', messages: { delivered: 1, failed: 1 } });
    const events = at(report.body, 'events') as Record<string, unknown>[];
    expect(events.map(({ sid, count, total }) => [sid, count, total])).toEqual([
      ['accepted', 1, 1],
      ['delivered', 1, 1],
      ['clicked', 2, 3],
    ]);
  });

  it('takes what a slow clock dates before its start into the first step', async () => {
    const report = await api.call(`GET /reports/mailings/${mailing}`);
    expect(at(report.body, 'events.0.series.0')).toEqual({
      time: '2026-06-01T10:00:00.000Z',
      count: 1,
      total: 1,
    });
  });

  it('is nobody else’s', async () => {
    const token = await api.tokenOf('viewer', await api.otherAccount('spies'));
    expect((await api.call(`GET /reports/mailings/${mailing}`, { token })).status).toBe(404);
    expect((await api.call('GET /reports/mailings/1')).status).toBe(404);
  });
});

describe('events', () => {
  const find = async (query: string) => rowsOf(await api.call(`GET /events?${query}`));

  it('are found by channel, event, mailing, type and time', async () => {
    expect((await find('channel=acme_sms')).length).toBe(8);
    expect((await find('channel=acme_sms&event=clicked')).length).toBe(4);
    expect((await find(`mailing=${mailing}&type=custom`)).map((row) => row.name)).toEqual([
      'Clicked',
      'Clicked',
      'Clicked',
    ]);
    const since = new Date(NOW_MS - DAY).toISOString();
    expect((await find(`from=${since}`)).length).toBe(6);
    expect((await find(`to=${since}`)).map((row) => row.sid)).toEqual(['custom', 'stop']);
  });

  it('come page by page, and once each', async () => {
    const first = await api.call('GET /events?limit=5');
    expect(at(first.body, 'pagination')).toMatchObject({ total: 8, hasMore: true });
    const rest = await find(`limit=5&cursor=${at(first.body, 'pagination.nextCursor')}`);
    const ids = [...rowsOf(first), ...rest].map((row) => row.id);
    expect(new Set(ids).size).toBe(8);
  });

  it('say what cannot be looked for', async () => {
    expect(pointersOf(await api.call('GET /events?event=clicked'))).toEqual(['/query/event']);
    expect(pointersOf(await api.call('GET /events?channel=acme_sms&event=opened'))).toEqual(['/query/event']);
    expect(pointersOf(await api.call('GET /events?channel=nobody'))).toEqual(['/query/channel']);
  });
});

describe('messages as CSV', () => {
  it('have one row per recipient, under the same filters, and no formula', async () => {
    const answer = await api.call(`GET /messages?mailing=${mailing}`, csv);
    const lines = linesOf(answer.text);
    expect(lines.map((line) => [line.id, line.state, line.reason, line.externalId])).toEqual([
      [messages[1], 'failed', 'HTTP_STATUS', `'=1+1,"x"`],
      [messages[0], 'delivered', '', ''],
    ]);
  });

  it('have all of them, however many pages that takes', async () => {
    const { ids, database } = api.runtime;
    const many = Array.from({ length: 2_000 }, () => ids.next());
    await database.query(
      `insert into message (id, account_id, channel_id, channel_version_id, lane_id, resource_id, state, class, updated_at)
       select given, account_id, channel_id, channel_version_id, lane_id, resource_id, $3, class, updated_at
       from message, unnest($1::uuid[]) as given where message.id = $2`,
      [many, messages[0] ?? '', STATE_CODES.stopped],
    );
    const lines = linesOf((await api.call('GET /messages?state=stopped', csv)).text);
    expect(lines.map((line) => line.id)).toEqual(many.toReversed());
  });

  it('have their names where there is none', async () => {
    const none = await api.call('GET /messages?state=expired', csv);
    expect(none.text).toMatch(/^id,state,reason,/);
    expect(linesOf(none.text)).toEqual([]);
  });
});
