/** What requests about mailings look like. */
import { MESSAGE_CLASSES } from '../flows/directory/message-request.ts';
import { anyObject, category, contentItemId, objectSchema, profileOfMessage, sid, text } from './schemas.ts';

const moment = (description: string) =>
  text(`${description} ISO 8601 with an offset, or without one and with \`timeZone\`.`, { maxLength: 40 });

/** The body of `POST /mailings`. */
export const mailingRequest = objectSchema(
  {
    name: text('For people.', { minLength: 1, maxLength: 255 }),
    type: {
      enum: ['regular', 'trigger', 'placement'],
      description:
        "One of the channel's mailing_types; `regular` where it is left out and the channel takes it.",
    },
    channel: sid,
    sender: { ...sid, description: 'May be left out where sender rules choose.' },
    resource: sid,
    template: {
      description: "Values of the channel's template fields, or the sid of a template.",
      anyOf: [anyObject, sid],
    },
    contentItemId,
    fields: { ...anyObject, description: "Values of the channel's mailing fields." },
    audience: {
      ...anyObject,
      description:
        '{ "all": true }, { "profiles": [external ids] } or { "where": filter }. Direct channels only, and not for trigger mailings.',
    },
    schedule: objectSchema({
      startAt: moment('When it starts; left out or past: when it is told to.'),
      stopAt: moment('When it stops by itself.'),
      timeZone: text('The zone of times without an offset, such as Europe/Berlin.', { maxLength: 100 }),
    }),
    class: { enum: [...MESSAGE_CLASSES] },
    category,
  },
  ['name', 'channel', 'resource'],
  'With exactly one of `template` and `contentItemId`.',
);

/** One trigger. */
export const triggerRequest = objectSchema({
  profile: profileOfMessage,
  attributes: { ...anyObject, description: 'Values for {{attributes.…}} in the content.' },
  dedupeKey: text('Names the trigger among repeats: a second one for the same person makes no message.', {
    minLength: 1,
    maxLength: 255,
  }),
});
