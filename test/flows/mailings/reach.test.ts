/** What would come to nothing says so before it begins: whom a mailing reaches, tests for nobody, redrives of what is stopped. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Corridor } from '../../support/corridor.ts';
import { addressed, all, type MailingCorridor, openMailings } from '../../support/mailing-corridor.ts';

let mailings: MailingCorridor;
let corridor: Corridor;
beforeAll(async () => {
  mailings = await openMailings();
  ({ corridor } = mailings);
  await mailings.channelWith('reach');
  await corridor.api('POST /profiles', { externalId: 'unsubscribed-nowhere', fields: { country: 'DE' } });
  await corridor.database.query(
    `update subscription s set status = case p.external_id when 'bob' then 'unsubscribed' else 'hard_bounced' end
     from profile p where p.id = s.profile_id and p.external_id in ('bob', 'cleo')`,
  );
  // The phone of dan, written in another way.
  const answer = await corridor.api('POST /suppressions', { address: `+49 ${all.indexOf('dan')}` });
  expect(answer.status).toBeLessThan(300);
});
afterAll(() => corridor.end());

const problemsOf = (answer: { body: { problems?: { pointer: string; message: string }[] } }) =>
  (answer.body.problems ?? []).map(({ pointer, message }) => `${pointer} ${message}`);

describe('counting an audience', () => {
  it('tells who is reached, and who is left out for which reason; then a start does just that', async () => {
    const id = await mailings.create('reach');
    const { status, body } = await mailings.act(id, 'audience');
    expect(status).toBe(200);
    expect(body).toEqual({
      people: all.length + 1,
      reached: 2,
      excluded: expect.arrayContaining([
        { reason: 'NOT_SUBSCRIBED', people: 1 },
        { reason: 'SUBSCRIPTION_UNSUBSCRIBED', people: 1 },
        { reason: 'SUBSCRIPTION_HARD_BOUNCED', people: 1 },
        { reason: 'SUPPRESSED_GLOBAL', people: 1 },
      ]),
    });
    expect(body.excluded).toHaveLength(4);
    await mailings.act(id, 'start');
    await corridor.idle();
    expect((await mailings.show(id)).counts).toEqual({ sent: 2, suppressed: 1 });
  });

  it('counts those only whom the filter means', async () => {
    const id = await mailings.create('reach', { audience: { where: { country: 'DE' } } });
    const { body } = await mailings.act(id, 'audience');
    expect(body).toMatchObject({ people: 3, reached: 1 });
  });

  it('is refused where there is no audience', async () => {
    await mailings.channelWith('calls', addressed(), { mailing_types: ['trigger'] });
    const id = await mailings.create('calls', { audience: undefined });
    const answer = await mailings.act(id, 'audience');
    expect(answer.status).toBe(409);
    expect(answer.body.detail).toContain('is a trigger mailing');
  });
});

describe('an audience', () => {
  const creating = (where: object) =>
    corridor.api('POST /mailings', {
      ...{ name: 'Spring', channel: 'reach', sender: 'main', resource: 'shop' },
      ...{ template: { text: 'Hi' }, audience: { where } },
    });

  it.each([
    [{ cuntry: 'DE' }, '/audience/where/cuntry No person has a field "cuntry". Did you mean "country"?'],
    [
      { and: [{ age: { '>': 1 } }, { not: { colour: 'red' } }] },
      'No person has a field "colour". People have: ',
    ],
  ])('that asks for a field nobody has is refused: %j', async (where, sentence) => {
    const answer = await creating(where);
    expect(answer.status).toBe(422);
    expect(problemsOf(answer).join()).toContain(sentence);
  });

  it.each([{ colour: { exists: false } }, { vip: true }, { 'dotted.name': 'x' }])(
    'that asks for what some have, or whether any has it, is kept: %j',
    async (where) => expect((await creating(where)).status).toBe(201),
  );
});

describe('a test', () => {
  it('for people whom it would not reach is refused, each by name', async () => {
    const id = await mailings.create('reach');
    const profiles = ['ann', 'nobody', 'unsubscribed-nowhere', 'bob'];
    const answer = await mailings.act(id, 'test', { profiles });
    expect(answer.status).toBe(422);
    expect(problemsOf(answer)).toEqual([
      '/profiles/1 There is no person "nobody".',
      expect.stringContaining('/profiles/2 "unsubscribed-nowhere" has no subscription to resource "shop"'),
      expect.stringContaining('/profiles/3 The subscription of "bob"'),
    ]);
    expect((await mailings.show(id)).launches).toEqual([]);
    expect((await mailings.act(id, 'test', { profiles: ['ann'] })).status).toBe(202);
  });
});

describe('a redrive', () => {
  it('of a stopped mailing is refused; of more than that it says how many it leaves out', async () => {
    await corridor.provider.script('/halts', { status: 503 });
    await mailings.channelWith('halts', addressed('halts'));
    const id = await mailings.create('halts', { audience: { profiles: ['ann', 'bob', 'eve'] } });
    await mailings.act(id, 'start');
    await corridor.idle();
    await mailings.act(id, 'stop');
    await corridor.idle();
    expect((await mailings.show(id)).counts).toEqual({ stopped: 3 });
    const refused = await corridor.api('POST /messages/redrive', { mailing: id });
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toContain('Start the mailing again instead');
    expect((await mailings.show(id)).counts).toEqual({ stopped: 3 });

    await corridor.provider.script('/halts', { status: 400 });
    const single = await corridor.send('halts', { profile: 'ann', template: { text: 'x' } });
    await corridor.idle();
    const { body } = await corridor.api('POST /messages/redrive', { channel: 'halts' });
    expect(body).toEqual({ redriven: 1, stopped: 3 });
    await corridor.idle();
    expect(await corridor.view(single)).toMatchObject({ attempt: 2 });
  });
});
