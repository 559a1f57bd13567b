/** The rules of sending of an account: quiet hours and frequency caps. */
import type { Directory } from '../../flows/directory/directory.ts';
import {
  checkSendingRules,
  NO_RULES,
  ON_HIT,
  type SendingRules,
  WEEK_DAYS,
} from '../../flows/guards/sending-rules.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { writeAudit } from '../../storage/audit.ts';
import { lockSendingRules, readAccountGuards, writeSendingRules } from '../../storage/guards.ts';
import { type Route, route } from '../route.ts';
import { category, objectSchema, sid, text } from '../schemas.ts';

const MOST_RULES = 50;
const channel = { ...sid, description: 'Only in this channel. Default: in every one.' };
const onHit = {
  enum: [...ON_HIT],
  description: 'hold: the message waits until it may go. drop: it is not sent.',
};

/** The rules of sending of an account. */
export const sendingRulesSchema = objectSchema(
  {
    quietHours: {
      type: 'array',
      maxItems: MOST_RULES,
      description: 'When people are left in peace, by the clock where they are. Urgent messages pass.',
      items: objectSchema(
        {
          channel,
          from: text('When the hours begin, such as 22:00.', { pattern: '^([01]\\d|2[0-3]):[0-5]\\d$' }),
          to: text('When they end, on the next day if that is not later; 24:00 is the end of the day.', {
            pattern: '^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$',
          }),
          days: {
            type: 'array',
            items: { enum: [...WEEK_DAYS] },
            minItems: 1,
            uniqueItems: true,
            description: 'On which days they begin. Default: every day.',
          },
          timeZone: text('The zone of those whose own is not known, such as Europe/Berlin.', {
            minLength: 1,
            maxLength: 64,
          }),
          timeZoneField: text('The profile field that holds the zone of a person.', {
            minLength: 1,
            maxLength: 255,
          }),
          onHit,
        },
        ['from', 'to', 'timeZone', 'onHit'],
      ),
    },
    caps: {
      type: 'array',
      maxItems: MOST_RULES,
      description: 'How many messages a person gets at most.',
      items: objectSchema(
        {
          channel,
          category: { ...category, description: 'Only messages of this category. Default: all.' },
          messages: { type: 'integer', minimum: 1, maximum: 100_000, description: 'So many messages,' },
          perHours: {
            type: 'number',
            exclusiveMinimum: 0,
            maximum: 8_784,
            description: 'within so many hours, whenever they begin.',
          },
          onHit,
        },
        ['messages', 'perHours', 'onHit'],
      ),
    },
  },
  ['quietHours', 'caps'],
);
const answers = { 200: { description: 'The rules.', schema: sendingRulesSchema } };

/** Routes of an account's rules. */
export function sendingRulesRoutes(runtime: Runtime, directory: Directory): Route[] {
  const { database, clock } = runtime;
  return [
    route({
      method: 'GET',
      path: '/sending-rules',
      action: 'read',
      tag: 'sending rules',
      summary: 'When people are left in peace, and how many messages they get at most.',
      answers,
      run: async ({ caller }) => {
        const { rules } = await readAccountGuards(database, caller.accountId);
        return { status: 200, body: rules ?? NO_RULES };
      },
    }),
    route<SendingRules>({
      method: 'PUT',
      path: '/sending-rules',
      action: 'sending_rules.write',
      tag: 'sending rules',
      summary: 'Set the rules; they hold within seconds, also for what waits already.',
      body: sendingRulesSchema,
      answers,
      run: async ({ caller, body, ids }) => {
        const { accountId, tokenId } = caller;
        const auditId = ids.next();
        const channels = await directory.channels();
        checkSendingRules(body, (name) => {
          const row = channels.get(name);
          return row !== undefined && (row.account_id === null || row.account_id === accountId);
        });
        const nowMs = clock.now();
        await database.transaction(async (tx) => {
          const before = await lockSendingRules(tx, accountId);
          await writeSendingRules(tx, accountId, JSON.stringify(body), nowMs);
          const named = { action: 'sending_rules.update', subject: 'sending-rules', nowMs };
          const change = { before: before?.rules ?? NO_RULES, after: body };
          await writeAudit(tx, { id: auditId, accountId, tokenId, ...named, ...change });
        });
        return { status: 200, body };
      },
    }),
  ];
}
