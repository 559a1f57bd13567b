/** A corridor with people to write to, and mailings that do it. */
import { expect } from 'vitest';
import { type ApiAnswer, type Corridor, openCorridor } from './corridor.ts';
import { messagePipeline, type Pipe, smsChannel } from './sms-channel.ts';

/** People of the audience, by external id. */
export const people: Record<string, Record<string, unknown>> = {
  ann: { country: 'DE', age: 30, tags: ['vip', 'new'], name: "O'Neill", "it's; drop table profile; --": 1 },
  bob: { country: 'FR', age: 17, tags: [], name: 'Bob "the" \\ builder', 'a"b': { deep: true } },
  cleo: { country: 'DE', age: '30', vip: true, name: '%_*', 'dotted.name': 'x' },
  dan: { country: null, score: 1.5, name: '' },
  eve: { name: 'Eve; select pg_sleep(9)', $where: 'this' },
};
export const all = Object.keys(people);

/** Their pack, their request with a retry after a minute to this path, and what follows. */
export function addressed(
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

export interface MailingCorridor {
  readonly corridor: Corridor;
  /** A channel with a sender, to which everyone is subscribed; its provider is told who is written to. */
  readonly channelWith: (
    sid: string,
    pipeline?: readonly Pipe[],
    more?: Readonly<Record<string, unknown>>,
  ) => Promise<void>;
  /** Returns the id of the draft. */
  readonly create: (channel: string, more?: object) => Promise<string>;
  readonly act: (id: string, verb: string, json?: object) => Promise<ApiAnswer>;
  readonly show: (id: string) => Promise<ApiAnswer['body']>;
  /** Who of the channel was written to, in the order of names. */
  readonly reached: (channel: string) => Promise<string[]>;
}

/** Opens a corridor with them; opening takes seconds, so once per test file. */
export async function openMailings(): Promise<MailingCorridor> {
  return mailingsOn(await openCorridor());
}

/** Brings the people to a corridor that is open. */
export async function mailingsOn(corridor: Corridor): Promise<MailingCorridor> {
  const { api } = corridor;
  await api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  for (const [externalId, fields] of Object.entries(people)) {
    await api('POST /profiles', { externalId, fields });
  }
  return {
    corridor,
    channelWith: async (sid, pipeline = addressed(), more = {}) => {
      await corridor.addChannel(smsChannel(sid, pipeline, more));
      await corridor.addSender(sid);
      for (const profile of all) {
        const fields = { phone: `+49${all.indexOf(profile)}` };
        const { status } = await api('POST /subscriptions', {
          profile,
          resource: 'shop',
          channel: sid,
          fields,
        });
        expect(status).toBeLessThan(300);
      }
    },
    create: async (channel, more = {}) => {
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
    },
    act: (id, verb, json) => api(`POST /mailings/${id}/${verb}`, json),
    show: async (id) => (await api(`GET /mailings/${id}`)).body,
    reached: async (channel) =>
      (await corridor.provider.log())
        .filter((each) => each.reference.startsWith(`${channel}/`))
        .map((each) => each.reference.slice(channel.length + 1))
        .sort(),
  };
}
