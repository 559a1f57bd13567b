/** Sender rules: which sender a message goes by where it names none, and which ones follow when that one fails. */
import type { Directory } from '../../flows/directory/directory.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { FALLBACK_CLASSES } from '../../flows/senders/fallback-class.ts';
import { createSaveSenderRules, noRules } from '../../flows/senders/save-sender-rules.ts';
import type { SenderRule } from '../../storage/sender-rules.ts';
import { type Route, route } from '../route.ts';
import { anyObject, entityName, objectSchema, sid } from '../schemas.ts';
import { visibleChannel } from '../visible-channel.ts';

const MOST_RULES = 50;
const MOST_SENDERS = 20;

const rule = objectSchema(
  {
    name: { ...entityName, description: 'For people; each rule has its own.' },
    when: {
      ...anyObject,
      description:
        'A filter in the language of audiences over profile.<field>, subscription.<field>, class and mailing. The last rule may do without: it fits every message.',
    },
    senders: {
      type: 'array',
      minItems: 1,
      maxItems: MOST_SENDERS,
      description: 'Who sends, shared by weight.',
      items: objectSchema(
        {
          sender: sid,
          weight: { type: 'integer', minimum: 1, maximum: 1_000, description: '1 where it is left out.' },
        },
        ['sender'],
      ),
    },
    fallback: {
      type: 'array',
      maxItems: MOST_SENDERS,
      items: sid,
      description: 'Who follows after a failure, in this order, each once.',
    },
    fallbackOn: {
      type: 'array',
      maxItems: 50,
      items: { type: ['string', 'integer'] },
      description: `After which failures: a status such as 503, a range such as "5xx", or a class: ${Object.entries(
        FALLBACK_CLASSES,
      )
        .map(([word, meaning]) => `${word} (${meaning})`)
        .join('; ')}.`,
    },
  },
  ['name', 'senders'],
);

/** All sender rules of a channel. */
export const senderRulesSchema = objectSchema(
  {
    rules: {
      type: 'array',
      minItems: 1,
      maxItems: MOST_RULES,
      items: rule,
      description: 'In their order; the first that fits decides.',
    },
  },
  ['rules'],
);

/** Routes of sender rules. */
export function senderRuleRoutes(runtime: Runtime, directory: Directory): Route[] {
  const keep = createSaveSenderRules(runtime, directory);
  const path = '/channels/{sid}/sender-rules';
  const answers = { 200: { description: 'The rules.', schema: senderRulesSchema } };
  return [
    route({
      method: 'GET',
      path,
      action: 'read',
      tag: 'channels',
      summary: "The account's sender rules of a channel.",
      answers,
      run: async ({ caller, params }) => {
        const { channel } = await visibleChannel(directory, caller.accountId, params.sid ?? '');
        const found = await keep.read(caller.accountId, channel.document);
        if (found === undefined) throw noRules(channel.document.sid);
        return { status: 200, body: { rules: found } };
      },
    }),
    route<{ readonly rules: readonly SenderRule[] }>({
      method: 'PUT',
      path,
      action: 'senders.write',
      tag: 'channels',
      summary: 'Set all sender rules of a channel: by field, weight and health, with ordered fallback.',
      body: senderRulesSchema,
      answers,
      run: async ({ caller, ids, params, body }) => {
        const { channel } = await visibleChannel(directory, caller.accountId, params.sid ?? '');
        await keep.write({ caller, ids }, channel.document, body.rules);
        return { status: 200, body };
      },
    }),
    route({
      method: 'DELETE',
      path,
      action: 'senders.write',
      tag: 'channels',
      summary: 'Remove the sender rules of a channel; what they sent on its way keeps its fallback.',
      answers: { 204: { description: 'They are gone.' } },
      run: async ({ caller, ids, params }) => {
        const { channel } = await visibleChannel(directory, caller.accountId, params.sid ?? '');
        await keep.remove({ caller, ids }, channel.document);
        return { status: 204 };
      },
    }),
  ];
}
