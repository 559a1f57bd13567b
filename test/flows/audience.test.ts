/** Whom a mailing reaches. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Corridor } from '../support/corridor.ts';
import { all, type MailingCorridor, openMailings } from '../support/mailing-corridor.ts';

let mailings: MailingCorridor;
let corridor: Corridor;
let api: Corridor['api'];
beforeAll(async () => {
  mailings = await openMailings();
  ({ corridor } = mailings);
  ({ api } = corridor);
});
afterAll(() => corridor.end());

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
    await mailings.channelWith(sid);
    const id = await mailings.create(sid, { audience });
    expect((await mailings.act(id, 'start')).status).toBe(200);
    await corridor.idle();
    expect(await mailings.reached(sid)).toEqual(expected);
    expect(await mailings.show(id)).toMatchObject({
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

  it('leaves out who has unsubscribed or hard-bounced', async () => {
    await mailings.channelWith('leaving');
    const set = (profile: string, status: string) =>
      api('POST /subscriptions', { profile, resource: 'shop', channel: 'leaving', status });
    await set('bob', 'unsubscribed');
    await set('dan', 'hard_bounced');
    const id = await mailings.create('leaving');
    await mailings.act(id, 'start');
    await corridor.idle();
    expect(await mailings.reached('leaving')).toEqual(['ann', 'cleo', 'eve']);
    expect((await mailings.show(id)).counts).toEqual({ sent: 3 });
  });
});
