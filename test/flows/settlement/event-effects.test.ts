/** What an event does to its message: the same in the message's own run and reported by the provider. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addEventEffects,
  bothChanges,
  type EventLists,
} from '../../../src/flows/settlement/event-effects.ts';
import { EVENT_TYPES } from '../../../src/pipes/event-types.ts';
import { type Corridor, openCorridor } from '../../support/corridor.ts';
import { type Pipe, person, smsChannel } from '../../support/sms-channel.ts';

type Type = (typeof EVENT_TYPES)[number];

const STATE: Readonly<Record<Type, string | undefined>> = {
  send: 'sent',
  deliv: 'delivered',
  sbounce: 'soft_bounced',
  hbounce: 'hard_bounced',
  undeliv: 'undelivered',
  complain: undefined,
  reply: 'replied',
  custom: undefined,
  read: 'read',
  click: 'clicked',
  unsub: undefined,
};
const RANK = 'sent soft_bounced delivered read clicked replied undelivered hard_bounced'.split(' ');
const REASONED = ['soft_bounced', 'undelivered', 'hard_bounced'];
const SUBSCRIPTION: { readonly [T in Type]?: string } = {
  hbounce: 'hard_bounced',
  complain: 'unsubscribed',
  unsub: 'unsubscribed',
};
const SUPPRESSES: readonly Type[] = ['hbounce', 'complain'];

const registering = (list: string): Pipe[] => [
  { id: 2, type: 'split', params: { items: list, as: 'report', each: 3 } },
  {
    id: 3,
    type: 'selector',
    params: {
      outs: EVENT_TYPES.map((type, index) => ({ query: `$in.report.type = '${type}'`, out: 10 + index })),
    },
  },
  ...EVENT_TYPES.map((type, index) => ({
    id: 10 + index,
    type: 'event',
    params: {
      sid: `on_${type}`,
      event: {
        send_message_id: '${in.report.message?}',
        external_id: '${in.report.id?}',
        code: '$in.report.type-code',
      },
    },
  })),
];

describe('an event', () => {
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor();
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    await corridor.addChannel(
      smsChannel('effects', registering('$#template.events'), {
        events: EVENT_TYPES.map((type) => ({ sid: `on_${type}`, name: type, color: '#607d8b', type })),
        fields: {
          sender: [
            { field: 'token', type: 'string', name: 'Token', secret: true },
            { field: 'base_url', type: 'url', name: 'Address' },
          ],
          subscription: [{ field: 'phone', type: 'string', name: 'Phone', required: true }],
          template: [{ field: 'events', type: 'json', name: 'Events', required: true, liquid: false }],
        },
        pipelines: {
          listener: [{ id: 1, type: 'unpack', outs: { success: 2 } }, ...registering('$in.data')],
        },
      }),
    );
    await corridor.addSender('effects');
  });
  afterAll(() => corridor.end());

  let phones = 0;
  const send = async (events: readonly object[]) => {
    phones += 1;
    const phone = `+4917${String(phones).padStart(8, '0')}`;
    const profile = { externalId: `e-${phones}`, subscription: { fields: { phone } } };
    const id = await corridor.send('effects', { ...person('x'), profile, template: { events } });
    await corridor.idle();
    return id;
  };
  const stateOf = async (id: string) => {
    const [row] = await corridor.database.query<Record<string, unknown>>(
      `select u.status as subscription, m.external_id as "externalId", m.reason,
         (select count(*)::int from suppression x where x.message_id = m.id) as suppressions,
         (select string_agg(e.type || coalesce(':' || e.external_id, ''), ' ' order by e.type) from event e where e.message_id = m.id) as events
       from message m join subscription u on u.id = m.subscription_id where m.id = $1`,
      [id],
    );
    return { ...row, state: (await corridor.view(id)).state };
  };

  const cases = EVENT_TYPES.flatMap((type) =>
    (['send', 'deliv', 'undeliv'] as const).flatMap((earlier) =>
      [undefined, 'had'].map((had) => ({ type, earlier, had })),
    ),
  );

  it('has the same effects no matter who registers it: event type × earlier state × earlier id', async () => {
    const [own, matched, expected]: unknown[][] = [[], [], []];
    const ids = await Promise.all(
      cases.map(async ({ type, earlier, had }) => {
        const first = { type: earlier, ...(had !== undefined && { id: `${had}-${type}-${earlier}` }) };
        const brought = { type, id: `new-${type}-${earlier}-${had ?? ''}` };
        const mine = await send([first, brought]);
        const theirs = await send([{ ...first, ...(first.id !== undefined && { id: `${first.id}-2` }) }]);
        const body = JSON.stringify([{ ...brought, message: theirs }]);
        await corridor.listen('effects/1/main', { body });
        return [mine, theirs] as const;
      }),
    );
    await corridor.idle();
    for (const [index, { type, earlier, had }] of cases.entries()) {
      const [mine, theirs] = ids[index] ?? ['', ''];
      const strip = (row: Record<string, unknown>) => ({
        case: `${earlier} then ${type}`,
        ...row,
        externalId: String(row.externalId).replace(/^(had-\w+-\w+)-2$/, '$1'),
        events: String(row.events).replaceAll(/(had-\w+-\w+?)-2/g, '$1'),
      });
      own?.push(strip(await stateOf(mine)));
      matched?.push(strip(await stateOf(theirs)));
      const before = STATE[earlier] ?? '';
      const after = STATE[type];
      const raised = after !== undefined && RANK.indexOf(after) > RANK.indexOf(before);
      const state = raised ? after : before;
      const replaces = had === undefined || type === 'send';
      const shown = (each: Type, id: string | undefined) => (id === undefined ? each : `${each}:${id}`);
      const oldId = had === undefined ? undefined : `had-${type}-${earlier}`;
      const newId = `new-${type}-${earlier}-${had ?? ''}`;
      expected?.push({
        case: `${earlier} then ${type}`,
        state,
        reason: REASONED.includes(state) ? `${raised ? type : earlier}-code` : null,
        externalId: replaces ? newId : oldId,
        subscription: SUBSCRIPTION[type] ?? 'subscribed',
        suppressions: SUPPRESSES.includes(type) ? 1 : 0,
        events: [shown(earlier, oldId), shown(type, newId)].sort().join(' '),
      });
    }
    expect(own).toEqual(expected);
    expect(matched).toEqual(expected);
  });
});

describe('the effects of an event', () => {
  const message = {
    source: 'w',
    messageId: 'm',
    accountId: 'a',
    launchId: null,
    attempt: 1,
    laneId: 7,
    channelVersionId: 3,
  };
  const details = (type: string, externalId: string | null = null) => ({
    id: 'e',
    channelId: 1,
    eventId: null,
    type,
    timeMs: 1,
    externalId,
    code: 'c',
    text: null,
    value: null,
    dedupeKey: null,
  });
  const ids = { next: () => 'next' };
  const effectsOf = (type: string, externalId: string | null = null, foundBy: string | null = null) => {
    const lists: EventLists = {};
    const change = addEventEffects(lists, { ...message, foundBy }, details(type, externalId), ids, 1);
    return { change, lists };
  };

  it.each([
    ['moderate_pass', true],
    ['moderate_error', false],
  ])('%s leaves a verdict that waits', (type, passed) => {
    const { lists, change } = effectsOf(type);
    expect(lists.waits?.map((wait) => JSON.parse(wait.payload ?? ''))).toEqual([
      { messageId: 'm', passed, text: 'c' },
    ]);
    expect(change.state).toBeUndefined();
  });

  it('stop brings its message to stopped', () => {
    expect(effectsOf('stop').change).toMatchObject({ state: 'stopped', reason: 'c' });
  });

  it('brings no id by which its message was found', () => {
    const { lists, change } = effectsOf('deliv', 'x-1', 'x-1');
    expect(change.externalId).toBeNull();
    expect(lists.externalIds).toBeUndefined();
    expect(lists.events).toMatchObject([{ externalId: 'x-1' }]);
  });

  it.each([
    ['a higher state wins', ['deliv', 'send'], { state: 'delivered' }, [null, null]],
    ['the id of a send is not replaced', ['send', 'deliv'], { externalId: 'a' }, ['a', 'b']],
    ['a send replaces the id of another', ['deliv', 'send'], { externalId: 'b' }, ['a', 'b']],
    [
      'the first id of two that fill stays',
      ['deliv', 'read'],
      { externalId: 'a', state: 'read' },
      ['a', 'b'],
    ],
  ])('of two events: %s', (_name, [first = '', second = ''], expected, [idA = null, idB = null]) => {
    const one = effectsOf(first, idA).change;
    expect(bothChanges(one, effectsOf(second, idB).change)).toMatchObject(expected);
  });
});
