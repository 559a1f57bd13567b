/** Moderation: what passes is launched, what does not comes back with its reason. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Corridor } from '../support/corridor.ts';
import { type MailingCorridor, openMailings } from '../support/mailing-corridor.ts';
import type { Pipe } from '../support/sms-channel.ts';

let mailings: MailingCorridor;
let corridor: Corridor;
let api: Corridor['api'];
beforeAll(async () => {
  mailings = await openMailings();
  ({ corridor } = mailings);
  ({ api } = corridor);
});
afterAll(() => corridor.end());

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
    expect((await mailings.act(id, 'start')).status).toBe(200);
    await corridor.idle();
    return id;
  };
  const published = (sid: string) => corridor.logged().includes(`${sid} was published`);

  it('that passes opens the launch', async () => {
    const id = await begin('wall_good', [verdict('moderate_pass')]);
    expect(await mailings.show(id)).toMatchObject({
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
    expect(await mailings.show(id)).toMatchObject({ state: 'draft', reason: 'Too loud.' });
    expect(published('wall_bad')).toBe(false);
  });

  it('that refuses does so again when the mailing is started again, and passes when it may', async () => {
    const listener: Pipe[] = [
      {
        id: 1,
        type: 'event',
        params: { event_type: 'moderate_pass', event: { send_message_id: '$in.form.id' } },
      },
    ];
    const refused = { ...verdict('moderate_error', { event: { message: 'Not today.' } }), id: 3 };
    const asked: Pipe = {
      id: 1,
      type: 'store_get',
      params: { key: 'open', not_found: 3 },
      outs: { success: 2 },
    };
    const id = await begin('wall_again', [asked, verdict('moderate_pass'), refused], listener);
    expect(await mailings.show(id)).toMatchObject({ state: 'draft', reason: 'Not today.' });
    expect((await mailings.act(id, 'start')).body).toMatchObject({ state: 'moderating', reason: null });
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'draft', reason: 'Not today.' });
    const [{ channel_id: channelId } = { channel_id: 0 }] = await corridor.database.query<{
      channel_id: number;
    }>('select channel_id from mailing where id = $1', [id]);
    await corridor.database.query(
      `insert into store_record (account_id, channel_id, table_name, key, value, expires_at)
       values ($1, $2, 'default', 'open', '"yes"', '2999-01-01')`,
      [corridor.accountId, channelId],
    );
    await mailings.act(id, 'start');
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({
      state: 'finished',
      reason: null,
      launches: [{ kind: 'moderation' }, { kind: 'moderation' }, { kind: 'moderation' }, { kind: 'real' }],
    });
  });

  it('that fails returns the mailing as well, with what went wrong', async () => {
    const broken: Pipe = {
      id: 1,
      type: 'transform',
      params: { expression: '$number("no number")', name: 'n' },
      outs: { success: 2 },
    };
    const id = await begin('wall_broken', [broken, verdict('moderate_pass')]);
    const mailing = await mailings.show(id);
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
    expect(await mailings.show(id)).toMatchObject({ state: 'moderating' });
    const first = await moderated();
    await corridor.listen(`wall_asked/5?id=${first}`);
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'draft', reason: 'No.' });
    await mailings.act(id, 'start');
    await corridor.idle();
    await corridor.listen(`wall_asked/1?id=${first}`);
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'moderating' });
    expect(published('wall_asked')).toBe(false);
    await corridor.listen(`wall_asked/1?id=${await moderated()}`);
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'finished' });
    expect(published('wall_asked')).toBe(true);
  });
});
