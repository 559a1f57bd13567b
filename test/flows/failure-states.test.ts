/** Mailings that fail in every way: no failure looks like a success, whatever pipe comes last, and its reason says why. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, type MailingCorridor, openMailings } from '../support/mailing-corridor.ts';
import { messagePipeline, type Pipe } from '../support/sms-channel.ts';

let mailings: MailingCorridor;
beforeAll(async () => {
  mailings = await openMailings();
});
afterAll(() => mailings.corridor.end());

const LOG: Pipe = { id: 9, type: 'log', params: { message: 'Failed: $error.message' } };
const ERROR: Pipe = { id: 9, type: 'error', params: { code: '$error.kind', message: '$error.message' } };
const once = { retry: { attempts: 1 } };

/** A pipeline whose request has an error exit to this pipe. */
function ending(last: Pipe, params: object = once, between: readonly Pipe[] = []): Pipe[] {
  const toFirst = { success: 3, error: between[0]?.id ?? 9 };
  return [...messagePipeline({ url: '$sender.base_url/$channel.sid', ...params }, toFirst), ...between, last];
}

interface Way {
  readonly name: string;
  readonly pipeline: readonly Pipe[];
  readonly answer?: object;
  readonly senderFields?: object;
  readonly template?: object;
  readonly passSeconds?: number;
  readonly state: string;
  readonly reason: string;
  readonly documentMore?: object;
}

const failed = (name: string, pipeline: readonly Pipe[], reason: string, more: Partial<Way> = {}): Way => ({
  name,
  pipeline,
  reason,
  state: 'failed',
  ...more,
});
const refused = { status: 400, body: { error: 'no' } };
const nobody = { base_url: 'http://127.0.0.1:1' };

const WAYS: readonly Way[] = [
  failed('refused, then a log', ending(LOG), 'HTTP_STATUS_400', { answer: refused }),
  failed('refused, then an error pipe', ending(ERROR), 'HTTP_STATUS_400', { answer: refused }),
  failed('credentials refused', ending(ERROR), 'HTTP_STATUS_401', { answer: { status: 401 } }),
  failed('forbidden', ending(LOG), 'HTTP_STATUS_403', { answer: { status: 403 } }),
  failed(
    'no exit wired',
    messagePipeline({ ...once, url: '$sender.base_url/$channel.sid' }),
    'HTTP_STATUS_400',
    {
      answer: refused,
    },
  ),
  failed('nothing listens, then a log', ending(LOG), 'HTTP_NETWORK', { senderFields: nobody }),
  failed('nothing listens, then an error pipe', ending(ERROR), 'HTTP_NETWORK', { senderFields: nobody }),
  failed(
    'a forbidden address',
    ending(ERROR, { ...once, url: 'http://169.254.169.254/x' }),
    'ADDRESS_FORBIDDEN',
  ),
  failed('tries spent', ending(LOG, { retry: { attempts: 2, delays: [1] } }), 'HTTP_STATUS_503', {
    answer: { status: 503 },
    passSeconds: 5,
  }),
  failed(
    'a second failure behind the first',
    ending(ERROR, once, [{ id: 7, type: 'unpack', outs: { success: 9, error: 9 } }]),
    'HTTP_STATUS_400',
    { answer: { status: 400, body: 'no JSON' } },
  ),
  failed(
    'a failure that waited before it was reported',
    ending(ERROR, once, [
      {
        id: 7,
        type: 'http_request',
        params: { url: '$sender.base_url/report', method: 'POST', retry: { attempts: 2, delays: [1] } },
        outs: { success: 9, error: 9 },
      },
    ]),
    'HTTP_STATUS_400',
    { answer: refused, passSeconds: 5 },
  ),
  failed(
    'an element of a split refused',
    [
      { id: 1, type: 'split', params: { items: ['a'], each: 2 }, outs: { error: 9 } },
      ...ending(LOG)
        .slice(1, 2)
        .map((pipe) => ({ ...pipe, params: { ...pipe.params, content_type: 'form' }, outs: {} })),
      LOG,
    ],
    'HTTP_STATUS_400',
    { answer: refused },
  ),
  failed(
    'an error pipe by a branch',
    [
      { id: 1, type: 'selector', params: { outs: [{ query: "'a' = 'a'", out: 9 }] } },
      { ...ERROR, params: { code: 'nope', message: 'Not today.' } },
    ],
    'OPERATION_ERROR',
  ),
  failed('content that does not render', ending(LOG), 'VALUES_INVALID', {
    template: { text: '{{ customer.name }} and far more text than fits' },
  }),
  {
    name: 'no answer in time',
    pipeline: ending(LOG, { ...once, timeout: 1 }),
    answer: { end: 'hang' },
    state: 'unknown',
    reason: 'HTTP_TIMEOUT',
  },
];

describe('a mailing that fails', () => {
  it.each(WAYS.map((way, index) => [way.name, way, `fails_${index}`] as const))(
    'by %s is counted, found, reported and redriven as what it is',
    async (_name, way, sid) => {
      const { corridor, channelWith, create, act, show } = mailings;
      const { api } = corridor;
      if (way.answer !== undefined) await corridor.provider.script(`/${sid}`, way.answer);
      await corridor.provider.script('/report', { status: 503 });
      await channelWith(sid, way.pipeline);
      if (way.senderFields !== undefined) await corridor.addSender(sid, 'other', way.senderFields);
      const id = await create(sid, {
        audience: { profiles: ['ann', 'bob', 'cleo'] },
        ...(way.senderFields !== undefined && { sender: 'other' }),
        ...(way.template !== undefined && { template: way.template }),
      });
      expect((await act(id, 'start')).status).toBeLessThan(300);
      await corridor.idle();
      if (way.passSeconds !== undefined) {
        await corridor.pass(way.passSeconds);
        await corridor.idle();
      }
      expect((await show(id)).counts).toEqual({ [way.state]: 3 });
      const found = (await api(`GET /messages?mailing=${id}&state=${way.state}`)).body;
      expect(found.data).toHaveLength(3);
      expect(new Set(found.data.map((each: { reason: string }) => each.reason))).toEqual(
        new Set([way.reason]),
      );
      expect((await api(`GET /messages?mailing=${id}&reason=${way.reason}`)).body.data).toHaveLength(3);
      const redriven = (await api('POST /messages/redrive', { mailing: id, reason: way.reason })).body;
      expect(redriven).toEqual({ redriven: 3 });
    },
  );

  it('because it is stopped says that, also for what waited for its next try', async () => {
    const { corridor, channelWith, create, act, show } = mailings;
    await corridor.provider.script('/stopped_one', { status: 503 });
    await channelWith('stopped_one', ending(LOG, { retry: { attempts: 5, delays: [600] } }));
    const id = await create('stopped_one');
    await act(id, 'start');
    await corridor.idle();
    expect((await show(id)).counts).toEqual({ queued: all.length });
    await act(id, 'stop');
    await corridor.idle();
    expect((await show(id)).counts).toEqual({ stopped: all.length });
    const { body } = await corridor.api(`GET /messages?mailing=${id}&reason=MAILING_STOPPED`);
    expect(body.data).toHaveLength(all.length);
  });

  it('for a time at a limit is sent when its turn comes', async () => {
    const { corridor, channelWith, create, act, show } = mailings;
    await corridor.provider.script('/limited_one', { body: { id: 'l' } });
    await channelWith('limited_one', ending(LOG, { limit: { requests: 2, per: 60, scope: 'sender' } }));
    const id = await create('limited_one');
    await act(id, 'start');
    await corridor.idle();
    for (let turn = 0; turn < all.length; turn += 1) {
      await corridor.pass(61);
      await corridor.idle();
    }
    expect((await show(id)).counts).toEqual({ sent: all.length });
  });
});

describe('a run that took an error exit', () => {
  it('because a record was missing went well if its request succeeded', async () => {
    const { corridor, channelWith, create, act, show } = mailings;
    const cached: Pipe[] = [
      { id: 1, type: 'store_get', params: { key: 'nothing', name: 'token' }, outs: { success: 2, error: 2 } },
      { id: 2, type: 'http_request', params: { url: '$sender.base_url/token', method: 'POST', ...once } },
    ];
    await corridor.provider.script('/token', { body: { id: 't' } });
    await channelWith('recovers', cached);
    const id = await create('recovers');
    await act(id, 'start');
    await corridor.idle();
    expect((await show(id)).counts).toEqual({ sent: all.length });
  });

  it('and registers an event is in the state of that event', async () => {
    const { corridor, channelWith, create, act, show } = mailings;
    await corridor.provider.script('/told', { status: 400 });
    await channelWith('told', ending({ id: 9, type: 'event', params: { sid: 'gone' } }));
    const id = await create('told');
    await act(id, 'start');
    await corridor.idle();
    expect((await show(id)).counts).toEqual({ hard_bounced: all.length });
  });
});
