/** Wrong sids and ids. */
import { check, direct } from '../documents.ts';
import { changed, type Example, event, hello, previous, sending, withEvents } from './build.ts';

/** Examples of these findings. */
export const IDENTITY: readonly Example[] = [
  {
    code: 'folder-name',
    name: 'another folder',
    document: direct(),
    options: { folder: 'acme' },
    says: 'The folder is "acme", but the channel in it is "acme_sms"',
    pointer: '/sid',
  },
  {
    code: 'sid-changed',
    name: 'another sid',
    document: direct(),
    options: previous({ sid: 'acme' }),
    says: 'The sid never changes: it is "acme"',
    pointer: '/sid',
  },
  {
    code: 'id-changed',
    name: 'another id',
    document: direct(),
    options: previous({ id: 10009 }),
    says: 'it is 10009, not 10001',
    pointer: '/id',
  },
  {
    code: 'sid-taken',
    name: 'a sid that is taken',
    document: direct(),
    options: { others: [{ sid: 'acme_sms', id: 1 }] },
    says: 'Another channel has the sid "acme_sms"',
    pointer: '/sid',
  },
  {
    code: 'id-taken',
    name: 'an id that is taken',
    document: direct(),
    options: { others: [{ sid: 'x', id: 10001 }] },
    says: 'The channel "x" has the id 10001',
    pointer: '/id',
  },
  {
    code: 'id-range',
    name: 'an id of a system channel',
    document: changed(sending(hello), { id: 100 }),
    says: 'from 10000 to 2147483647, but this one is 100',
    pointer: '/id',
  },
  {
    code: 'id-missing',
    name: 'a system channel without id',
    document: changed(direct(), { id: undefined }),
    options: { kind: 'system' },
    says: 'A system channel names its "id"',
  },
  {
    code: 'event-sid-twice',
    name: 'two events with a sid',
    document: withEvents(event('accepted', 100009)),
    says: 'Two events have the sid "accepted"',
    pointer: '/events/3/sid',
  },
  {
    code: 'event-id-twice',
    name: 'two events with an id',
    document: withEvents(event('other', 100001)),
    says: '"accepted" and "other" have the same id 100001',
    pointer: '/events/3/id',
  },
  {
    code: 'event-id-range',
    name: 'a low event id',
    document: withEvents(event('other', 7)),
    says: 'start at 100000, but "other" has 7',
    pointer: '/events/3/id',
  },
  {
    code: 'event-id-changed',
    name: 'an event with another id',
    document: direct(),
    options: previous({
      events: [{ sid: 'accepted', id: 100077, name: 'A', color: '#000000', type: 'send' }],
    }),
    says: 'it is 100077, not 100001',
    pointer: '/events/0/id',
  },
  {
    code: 'event-id-changed',
    name: 'an event with the id of another',
    document: direct(),
    options: previous({ events: [{ sid: 'gone', id: 100001, name: 'A', color: '#000000', type: 'send' }] }),
    says: 'belongs to the event "gone"',
    pointer: '/events/0/id',
  },
  {
    code: 'event-removed',
    name: 'an event that is gone',
    document: direct(),
    options: previous({
      events: [
        ...(check(direct()).document?.events ?? []),
        { sid: 'gone', id: 100044, name: 'G', color: '#000000', type: 'custom' },
      ],
    }),
    says: 'The event "gone" is gone',
    pointer: '/events',
  },
];
