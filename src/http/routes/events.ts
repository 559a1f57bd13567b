/** Events: what happened to messages, in the words of their channels. */

import type { Directory } from '../../flows/directory/directory.ts';
import { findChannel, refused } from '../../flows/directory/find-channel.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { CONTROL_EVENT_TYPES, EVENT_TYPES } from '../../pipes/event-types.ts';
import { type EventFilter, type FoundEvent, listEvents } from '../../storage/events.ts';
import { channelNames } from '../channel-names.ts';
import { pageOf, readPage } from '../page.ts';
import { rangeQuery, readMoment } from '../range.ts';
import { type Route, route } from '../route.ts';
import { objectSchema, pageQuery, pageSchema, text, time, uuid } from '../schemas.ts';

const types = [...EVENT_TYPES, ...CONTROL_EVENT_TYPES];

const shownEvent = objectSchema({
  id: uuid,
  messageId: uuid,
  channel: { type: ['string', 'null'] },
  mailing: { type: ['string', 'null'] },
  sid: text("The channel's own name of the event, or its type where the channel no longer declares it."),
  name: text('For people.'),
  type: { enum: types },
  color: { type: ['string', 'null'] },
  time,
  attempt: { type: 'integer' },
  externalId: { type: ['string', 'null'] },
  code: { type: ['string', 'null'] },
  message: { type: ['string', 'null'] },
  data: { description: 'What the pipeline kept of it.' },
});

/** Routes of events. */
export function eventRoutes(runtime: Runtime, directory: Directory): Route[] {
  const names = channelNames(runtime, directory);

  const filterOf = async (
    accountId: string,
    query: Readonly<Record<string, unknown>>,
  ): Promise<EventFilter> => {
    const { channel, mailing, event, type } = query as Record<string, string | undefined>;
    const filter = {
      mailingId: mailing,
      type,
      fromMs: readMoment(query, 'from'),
      toMs: readMoment(query, 'to'),
    };
    if (channel === undefined) {
      if (event === undefined) return filter;
      throw refused('/query/event', 'An event is named within its channel; give "channel" too.');
    }
    const { document } = await findChannel(directory, accountId, channel, '/query/channel');
    const declared = document.events.find((each) => each.sid === event);
    if (event !== undefined && declared === undefined) {
      const sids = document.events.map((each) => each.sid).join(', ') || 'none';
      throw refused(
        '/query/event',
        `Channel "${channel}" declares no event "${event}"; it declares: ${sids}.`,
      );
    }
    return { ...filter, channelId: document.id, eventId: declared?.id };
  };

  const shower = async (rows: readonly FoundEvent[]) => {
    const ids = [...new Set(rows.map((row) => row.channel_id))];
    const channels = new Map(await Promise.all(ids.map(async (id) => [id, await names.of(id)] as const)));
    return (row: FoundEvent) => {
      const named = channels.get(row.channel_id);
      const declared = row.event_id === null ? undefined : named?.channel?.events.get(row.event_id);
      return {
        id: row.id,
        messageId: row.message_id,
        channel: named?.sid ?? null,
        mailing: row.mailing_id,
        sid: declared?.sid ?? row.type,
        name: declared?.name ?? row.type,
        type: row.type,
        color: declared?.color ?? null,
        time: row.time,
        attempt: row.attempt,
        externalId: row.external_id,
        code: row.code,
        message: row.text,
        data: row.value,
      };
    };
  };

  return [
    route({
      method: 'GET',
      path: '/events',
      action: 'read',
      tag: 'events',
      summary: 'Find events by channel, mailing, type and time.',
      query: {
        ...pageQuery,
        channel: { type: 'string', description: 'Only events of this channel.' },
        event: { type: 'string', description: 'Only this event of the channel, by its sid.' },
        mailing: { ...uuid, description: 'Only events of messages of this mailing.' },
        type: { enum: types, description: 'Only events of this platform type.' },
        ...rangeQuery,
      },
      answers: {
        200: { description: 'A page of events, the newest recorded first.', schema: pageSchema(shownEvent) },
      },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const filter = await filterOf(caller.accountId, query);
        const { rows, total } = await listEvents(runtime.database, caller.accountId, filter, page);
        return { status: 200, body: pageOf(rows, total, page.limit, await shower(rows)) };
      },
    }),
  ];
}
