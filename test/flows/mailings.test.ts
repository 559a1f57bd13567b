/** Mailings: whom they reach, and how they are started, tested, paused, stopped, moderated and finished. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putBack } from '../../src/flows/outcome.ts';
import { settleParts } from '../../src/flows/settler.ts';
import { type ClaimedRow, enterNode } from '../../src/storage/claim.ts';
import { PARKED_DUE_MS } from '../../src/storage/launches.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { until } from '../support/engine.ts';
import { messagePipeline, type Pipe, smsChannel } from '../support/sms-channel.ts';

let corridor: Corridor;
let api: Corridor['api'];

/** People of the audience, by external id. */
const people: Record<string, Record<string, unknown>> = {
  ann: { country: 'DE', age: 30, tags: ['vip', 'new'], name: "O'Neill", "it's; drop table profile; --": 1 },
  bob: { country: 'FR', age: 17, tags: [], name: 'Bob "the" \\ builder', 'a"b': { deep: true } },
  cleo: { country: 'DE', age: '30', vip: true, name: '%_*', 'dotted.name': 'x' },
  dan: { country: null, score: 1.5, name: '' },
  eve: { name: 'Eve; select pg_sleep(9)', $where: 'this' },
};
const all = Object.keys(people);

beforeAll(async () => {
  corridor = await openCorridor();
  ({ api } = corridor);
  await api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  for (const [externalId, fields] of Object.entries(people))
    await api('POST /profiles', { externalId, fields });
});
afterAll(() => corridor.end());

const subscribe = async (channel: string, resource = 'shop') => {
  for (const profile of all) {
    const fields = { phone: `+49${all.indexOf(profile)}` };
    const { status } = await api('POST /subscriptions', { profile, resource, channel, fields });
    expect(status).toBeLessThan(300);
  }
};
/** A channel with a sender, to which everyone is subscribed; its provider is told who is written to. */
const channelWith = async (sid: string, pipeline: readonly Pipe[] = addressed(), more: object = {}) => {
  await corridor.addChannel(smsChannel(sid, pipeline, more));
  await corridor.addSender(sid);
  await subscribe(sid);
};
function addressed(
  path = 'send',
  more: Pipe[] = [{ id: 4, type: 'event', params: { sid: 'accepted' } }],
): Pipe[] {
  const [pack, request] = messagePipeline(
    { url: `$sender.base_url/${path}`, retry: { delays: [60] } },
    { success: 4 },
  );
  return [
    {
      ...(pack as Pipe),
      params: { template: { reference: '$channel.sid/$profile.external_id', text: '$template.text' } },
    },
    request as Pipe,
    ...more,
  ];
}
const create = async (channel: string, more: object = {}) => {
  const { status, body } = await api('POST /mailings', {
    name: 'Spring',
    channel,
    sender: 'main',
    resource: 'shop',
    template: { text: 'Hi {{ customer.name | slice: 0, 3 }}' },
    audience: { all: true },
    ...more,
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body.id as string;
};
const act = (id: string, verb: string, json?: object) => api(`POST /mailings/${id}/${verb}`, json);
const show = async (id: string) => (await api(`GET /mailings/${id}`)).body;
/** Who of the channel was written to, in no order. */
const reached = async (channel: string) =>
  (await corridor.provider.log())
    .filter((each) => each.reference.startsWith(`${channel}/`))
    .map((each) => each.reference.slice(channel.length + 1))
    .sort();

describe('an audience', () => {
  const cases: [string, object, string[]][] = [
    ['all', { all: true }, all],
    ['ids', { profiles: ['bob', 'eve', 'nobody', "x' or true --"] }, ['bob', 'eve']],
    ['no ids', { profiles: [] }, []],
    ['equals', { where: { country: 'DE' } }, ['ann', 'cleo']],
    ['equals, by type', { where: { age: { '=': 30 } } }, ['ann']],
    ['equals null', { where: { country: null } }, ['dan']],
    ['differs', { where: { country: { '!=': 'DE' } } }, ['bob', 'dan', 'eve']],
    ['greater', { where: { age: { '>': 17 } } }, ['ann']],
    ['at least', { where: { age: { '>=': 17 } } }, ['ann', 'bob']],
    ['less', { where: { score: { '<': 1.6 } } }, ['dan']],
    ['at most, of texts', { where: { age: { '<=': '30' } } }, ['cleo']],
    ['between', { where: { age: { '>=': 10, '<': 20 } } }, ['bob']],
    ['in', { where: { country: { in: ['FR', 'IT'] } } }, ['bob']],
    ['in, where a list is no member of the list', { where: { tags: { in: ['vip', 'old'] } } }, []],
    ['contains, in a list', { where: { tags: { contains: 'vip' } } }, ['ann']],
    ['contains, in a text', { where: { name: { contains: '%_' } } }, ['cleo']],
    ['exists', { where: { vip: { exists: true } } }, ['cleo']],
    ['exists not', { where: { age: { exists: false } } }, ['dan', 'eve']],
    ['and', { where: { and: [{ country: 'DE' }, { vip: true }] } }, ['cleo']],
    ['several members', { where: { country: 'DE', age: 30 } }, ['ann']],
    ['or', { where: { or: [{ country: 'FR' }, { age: { '>': 20 }, country: 'DE' }] } }, ['ann', 'bob']],
    ['not', { where: { not: { country: 'DE' } } }, ['bob', 'dan', 'eve']],
    ['a hostile name', { where: { "it's; drop table profile; --": 1 } }, ['ann']],
    ['a quoted name', { where: { 'a"b': { contains: { deep: true } } } }, ['bob']],
    ['a dotted name', { where: { 'dotted.name': 'x' } }, ['cleo']],
    ['a dollar name', { where: { $where: 'this' } }, ['eve']],
    [
      'hostile values',
      { where: { name: { in: ["O'Neill", 'Eve; select pg_sleep(9)', "' or true --"] } } },
      ['ann', 'eve'],
    ],
    ['a backslash', { where: { name: { contains: '\\ b' } } }, ['bob']],
    ['a name of the prototype', { where: { constructor: { exists: true } } }, []],
  ];

  it.each(cases)('%s', async (name, audience, expected) => {
    const sid = `to_${cases.findIndex((each) => each[0] === name)}`;
    await channelWith(sid);
    const id = await create(sid, { audience });
    expect((await act(id, 'start')).status).toBe(200);
    await corridor.idle();
    expect(await reached(sid)).toEqual(expected);
    expect(await show(id)).toMatchObject({
      state: 'finished',
      messages: expected.length,
      launches: [{ state: 'finished', opened: expected.length }],
    });
  });

  it('that cannot be asked for is refused when the mailing is made', async () => {
    const wrong = [
      { where: {} },
      { where: { age: {} } },
      { where: { age: { '~': 1 } } },
      { where: { age: { in: 3 } } },
      { where: { age: { '>': null } } },
      { where: { and: [] } },
      { where: { name: 'nul \u0000' } },
      { profiles: ['nul \u0000'] },
      { profiles: [1] },
      { all: false },
      { all: true, where: { a: 1 } },
    ];
    for (const audience of wrong) {
      const body = {
        name: 'x',
        channel: 'to_0',
        sender: 'main',
        resource: 'shop',
        template: { text: 'x' },
        audience,
      };
      const { status } = await api('POST /mailings', body);
      expect([audience, status]).toEqual([audience, 422]);
    }
  });

  it('leaves out who has unsubscribed, now and since the launch was opened', async () => {
    await channelWith('leaving');
    const set = (profile: string, status: string) =>
      api('POST /subscriptions', { profile, resource: 'shop', channel: 'leaving', status });
    await set('bob', 'unsubscribed');
    await set('dan', 'hard_bounced');
    const id = await create('leaving');
    await act(id, 'start');
    await corridor.idle();
    expect(await reached('leaving')).toEqual(['ann', 'cleo', 'eve']);
    expect((await show(id)).counts).toEqual({ sent: 3 });
  });
});

describe('starting', () => {
  it('twice, one after the other, makes two launches; at the same time one', async () => {
    await channelWith('twice');
    const id = await create('twice');
    const answers = await Promise.all([act(id, 'start'), act(id, 'start'), act(id, 'start')]);
    expect(answers.map((each) => each.status).sort()).toEqual([200, 409, 409]);
    await corridor.idle();
    expect((await act(id, 'start')).status).toBe(200);
    await corridor.idle();
    expect(await reached('twice')).toEqual([...all, ...all].sort());
    expect(await show(id)).toMatchObject({
      state: 'finished',
      messages: 10,
      launches: [{ number: 1 }, { number: 2 }],
    });
  });

  it('waits for its time, and stops at its time', async () => {
    await channelWith('timed', addressed('timed'));
    await corridor.provider.script('/timed', { status: 503 });
    const at = (seconds: number) => new Date(corridor.ground.clock.now() + seconds * 1_000).toISOString();
    const id = await create('timed', { schedule: { startAt: at(100), stopAt: at(150) } });
    expect((await act(id, 'start')).body.state).toBe('scheduled');
    expect((await act(id, 'start')).status).toBe(409);
    await corridor.idle();
    expect(await reached('timed')).toEqual([]);
    await corridor.pass(101);
    expect(await reached('timed')).toEqual(all);
    expect(await show(id)).toMatchObject({ state: 'sending', counts: { queued: 5 } });
    await corridor.pass(50);
    expect(await show(id)).toMatchObject({ state: 'stopped', counts: { stopped: 5 } });
    await corridor.pass(100);
    expect(await reached('timed')).toEqual(all);
  });

  it('a test sends to whom it names, and leaves the mailing as it is', async () => {
    await channelWith('tested');
    const id = await create('tested');
    expect((await act(id, 'test', {})).status).toBe(422);
    expect((await act(id, 'test', { profiles: ['cleo'] })).status).toBe(202);
    await corridor.idle();
    expect(await reached('tested')).toEqual(['cleo']);
    expect(await show(id)).toMatchObject({
      state: 'draft',
      messages: 0,
      launches: [{ kind: 'test', state: 'finished' }],
    });
  });

  it('finishes on the version of the channel with which it began', async () => {
    await corridor.provider.script('/before', { status: 503 }, { status: 503 }, { status: 202 });
    await channelWith('pinned', addressed('before'));
    const id = await create('pinned', { audience: { profiles: ['ann', 'bob'] } });
    await act(id, 'start');
    await corridor.idle();
    await corridor.addChannel(smsChannel('pinned', addressed('after')));
    await corridor.pass(61);
    expect(await show(id)).toMatchObject({ state: 'finished', counts: { sent: 2 } });
    const paths = async () =>
      (await corridor.provider.log())
        .filter((each) => each.reference.startsWith('pinned/'))
        .map((each) => each.path);
    expect(await paths()).toEqual(Array(4).fill('/before'));
    await act(id, 'start');
    await corridor.idle();
    expect((await paths()).slice(4)).toEqual(['/after', '/after']);
  });
});

describe('pausing', () => {
  it('holds what waits, also what is paused and resumed at once, and goes on after', async () => {
    await channelWith('paused', addressed('paused'));
    await corridor.provider.script('/paused', ...all.map(() => ({ status: 503 })), { status: 202 });
    const id = await create('paused');
    await act(id, 'start');
    await corridor.idle();
    expect((await act(id, 'pause')).body.state).toBe('paused');
    expect((await act(id, 'pause')).status).toBe(409);
    await corridor.pass(120);
    expect(await reached('paused')).toEqual(all);
    // What runs after the resume may still believe that it is paused, and must not be lost for that.
    await act(id, 'resume');
    await act(id, 'pause');
    corridor.wake();
    await act(id, 'resume');
    await corridor.idle();
    await corridor.pass(5);
    expect(await show(id)).toMatchObject({ state: 'finished', counts: { sent: 5 } });
    expect(await reached('paused')).toEqual([...all, ...all].sort());
  });

  it('parks only what belongs to a launch that is still paused when its run is settled', async () => {
    const { database, ground } = corridor;
    await channelWith('stale', addressed('stale'));
    await corridor.provider.script('/stale', { status: 503 });
    const id = await create('stale', { audience: { profiles: ['ann'] } });
    await act(id, 'start');
    await corridor.idle();
    const node = await enterNode(database, 'stale', ground.clock.now());
    /** Settles the run of the message as one that saw its launch paused; gives the year in which it is due then. */
    const park = async () => {
      const [row] = await database.query<ClaimedRow>(
        `update waiting w set owner = $2 from message m join launch l on l.id = m.launch_id
         where m.id = w.message_id and l.mailing_id = $1 returning w.*`,
        [id, node],
      );
      if (row === undefined) throw new Error('nothing waits');
      await settleParts(ground, node, [putBack(row, PARKED_DUE_MS)]);
      const [now] = await database.query<{ due: Date }>('select due_at as due from waiting where id = $1', [
        row.id,
      ]);
      return now?.due.getUTCFullYear();
    };
    await act(id, 'pause');
    expect(await park()).toBe(9999);
    await act(id, 'resume');
    expect(await park()).toBe(new Date(ground.clock.now()).getUTCFullYear());
    await act(id, 'stop');
    await corridor.idle();
    expect(await show(id)).toMatchObject({ counts: { stopped: 1 } });
  });

  it('holds a paused channel as well, and still takes its events', async () => {
    const listener: Pipe[] = [
      { id: 1, type: 'event', params: { sid: 'delivered', event: { send_message_id: '$in.form.id' } } },
    ];
    await channelWith('held', addressed('held'), { pipelines: { listener } });
    const first = await corridor.send('held', { profile: 'ann' });
    await corridor.idle();
    const status = (to: string) =>
      corridor.database.query('update channel set status = $1 where sid = $2', [to, 'held']);
    await status('paused');
    // Every node reads the lanes at least each second.
    await corridor.pass(2);
    const queued = await corridor.send('held', { profile: 'bob' });
    await corridor.listen(`held/1?id=${first}`);
    await until(async () => (await corridor.view(first)).state === 'delivered');
    expect(await corridor.view(queued)).toMatchObject({ state: 'accepted' });
    await status('active');
    await corridor.pass(2);
    expect(await corridor.view(queued)).toMatchObject({ state: 'sent' });
    expect(await reached('held')).toEqual(['ann', 'bob']);
  });
});

describe('stopping', () => {
  const stop: Pipe[] = [
    {
      id: 1,
      type: 'http_request',
      params: { url: '$sender.base_url/withdraw', form: { reference: 'withdraw/$message.id' } },
      outs: { success: 2 },
    },
    { id: 2, type: 'event', params: { event_type: 'stop' } },
  ];
  const placement = { mailing_types: ['placement'], pipelines: { stop } };

  it('stops what waits and withdraws what was placed', async () => {
    await channelWith('placed', addressed('placed'), placement);
    await corridor.provider.script('/placed', { status: 202 }, { status: 202 }, { status: 503 });
    const id = await create('placed');
    await act(id, 'start');
    await corridor.idle();
    expect((await show(id)).counts).toEqual({ sent: 2, queued: 3 });
    expect((await act(id, 'stop')).body.state).toBe('stopped');
    await corridor.pass(120);
    expect(await show(id)).toMatchObject({
      state: 'stopped',
      counts: { stopped: 5 },
      launches: [{ state: 'stopped' }],
    });
    const withdrawn = (await corridor.provider.log()).filter((each) => each.path === '/withdraw');
    expect(withdrawn).toHaveLength(2);
    expect(await reached('placed')).toEqual(all);
  });

  it('withdraws what was placed by a launch that has long ended, once', async () => {
    await channelWith('ended', addressed('ended'), placement);
    const id = await create('ended');
    await act(id, 'start');
    await corridor.idle();
    expect(await show(id)).toMatchObject({ state: 'finished', counts: { sent: 5 } });
    expect((await act(id, 'stop')).status).toBe(200);
    await corridor.idle();
    expect(await show(id)).toMatchObject({ state: 'stopped', counts: { stopped: 5 } });
    expect((await act(id, 'stop')).status).toBe(409);
  });
});

describe('moderation', () => {
  const wall = (sid: string, moderate: Pipe[], listener: Pipe[] = []) => ({
    sid,
    name: sid,
    type: 'social',
    communication: 'indirect',
    moderate: true,
    events: [],
    fields: {
      resource: [{ field: 'page', type: 'string', name: 'Page' }],
      template: [{ field: 'text', type: 'text', name: 'Text', required: true }],
    },
    pipelines: {
      message: [{ id: 1, type: 'log', params: { level: 'info', message: `${sid} was published` } }],
      moderate,
      ...(listener.length > 0 && { listener }),
    },
  });
  const verdict = (type: string, more: object = {}): Pipe => ({
    id: 2,
    type: 'event',
    params: { event_type: type, ...more },
  });
  const begin = async (sid: string, moderate: Pipe[], listener: Pipe[] = []) => {
    await corridor.addChannel(wall(sid, moderate, listener));
    const made = await api('POST /mailings', {
      name: sid,
      channel: sid,
      resource: 'shop',
      template: { text: 'x' },
    });
    const id = made.body.id as string;
    expect((await act(id, 'start')).status).toBe(200);
    await corridor.idle();
    return id;
  };
  const published = (sid: string) => corridor.logged().includes(`${sid} was published`);

  it('that passes opens the launch', async () => {
    const id = await begin('wall_good', [verdict('moderate_pass')]);
    expect(await show(id)).toMatchObject({
      state: 'finished',
      launches: [
        { kind: 'moderation', state: 'finished' },
        { kind: 'real', state: 'finished' },
      ],
    });
    expect(published('wall_good')).toBe(true);
  });

  it('that refuses returns the mailing with the text', async () => {
    const loud: Pipe = {
      id: 1,
      type: 'selector',
      params: { outs: [{ query: "$template.text = 'x'", out: 3 }] },
      outs: { success: 2 },
    };
    const refused = { ...verdict('moderate_error', { event: { message: 'Too loud.' } }), id: 3 };
    const id = await begin('wall_bad', [loud, verdict('moderate_pass'), refused]);
    expect(await show(id)).toMatchObject({ state: 'draft', reason: 'Too loud.' });
    expect(published('wall_bad')).toBe(false);
  });

  it('that fails returns the mailing as well, with what went wrong', async () => {
    const broken: Pipe = {
      id: 1,
      type: 'transform',
      params: { expression: '$number("no number")', name: 'n' },
      outs: { success: 2 },
    };
    const id = await begin('wall_broken', [broken, verdict('moderate_pass')]);
    const mailing = await show(id);
    expect(mailing).toMatchObject({ state: 'draft', launches: [{ kind: 'moderation', state: 'finished' }] });
    expect(mailing.reason).toContain('JSONata');
    expect(published('wall_broken')).toBe(false);
  });

  it('may be decided by the listener, and only on what is moderated now', async () => {
    const listener: Pipe[] = [
      {
        id: 1,
        type: 'event',
        params: { event_type: 'moderate_pass', event: { send_message_id: '$in.form.id' } },
      },
      {
        id: 5,
        type: 'event',
        params: { event_type: 'moderate_error', event: { send_message_id: '$in.form.id', message: 'No.' } },
      },
    ];
    const asked: Pipe[] = [{ id: 1, type: 'log', params: { message: 'asked' } }];
    const id = await begin('wall_asked', asked, listener);
    const moderated = async () => {
      const rows = await corridor.database.query<{ id: string }>(
        `select m.id from message m join launch l on l.id = m.launch_id where l.mailing_id = $1 order by l.number desc`,
        [id],
      );
      return rows[0]?.id ?? '';
    };
    expect(await show(id)).toMatchObject({ state: 'moderating' });
    const first = await moderated();
    await corridor.listen(`wall_asked/5?id=${first}`);
    await corridor.idle();
    expect(await show(id)).toMatchObject({ state: 'draft', reason: 'No.' });
    await act(id, 'start');
    await corridor.idle();
    await corridor.listen(`wall_asked/1?id=${first}`);
    await corridor.idle();
    expect(await show(id)).toMatchObject({ state: 'moderating' });
    expect(published('wall_asked')).toBe(false);
    await corridor.listen(`wall_asked/1?id=${await moderated()}`);
    await corridor.idle();
    expect(await show(id)).toMatchObject({ state: 'finished' });
    expect(published('wall_asked')).toBe(true);
  });
});
