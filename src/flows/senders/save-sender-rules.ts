/** An account's sender rules of a channel: checked against the channel and its senders, kept with an audit. */
import type { ChannelDocument } from '../../channel/document.ts';
import { Failure } from '../../errors.ts';
import { writeAudit } from '../../storage/audit.ts';
import type { Sql } from '../../storage/database.ts';
import {
  deleteSenderRules,
  holdSenders,
  type NewRoute,
  readSenderRules,
  type SenderRule,
  writeSenderRules,
} from '../../storage/sender-rules.ts';
import type { Directory } from '../directory/directory.ts';
import type { Runtime } from '../runtime.ts';
import type { Author } from '../setup/save-entity.ts';
import { ruleProblems } from './check-sender-rules.ts';

export interface SaveSenderRules {
  /** Undefined where there are none. */
  readonly read: (accountId: string, channel: ChannelDocument) => Promise<readonly SenderRule[] | undefined>;
  /** Replaces all rules. Throws REQUEST_INVALID with every problem at its place. */
  readonly write: (by: Author, channel: ChannelDocument, rules: readonly SenderRule[]) => Promise<void>;
  /** Throws NOT_FOUND if there are none. */
  readonly remove: (by: Author, channel: ChannelDocument) => Promise<void>;
}

export function createSaveSenderRules(runtime: Runtime, directory: Directory): SaveSenderRules {
  const { database, clock } = runtime;

  const audit = (
    tx: Sql,
    by: Author,
    id: string,
    channel: ChannelDocument,
    before: unknown,
    after: unknown,
  ) =>
    writeAudit(tx, {
      id,
      accountId: by.caller.accountId,
      tokenId: by.caller.tokenId,
      action: 'channels.sender-rules',
      subject: `channels/${channel.sid}`,
      before,
      after,
      nowMs: clock.now(),
    });

  return Object.freeze<SaveSenderRules>({
    read: async (accountId, channel) => (await readSenderRules(database, accountId, channel.id))?.rules,
    write: async (by, channel, rules) => {
      const { accountId } = by.caller;
      const auditId = by.ids.next();
      await database.transaction(async (tx) => {
        const senders = new Map(
          (await holdSenders(tx, accountId, channel.id)).map((sender) => [sender.sid, sender.id]),
        );
        const problems = ruleProblems(rules, channel, new Set(senders.keys()));
        const [first] = problems;
        if (first !== undefined) {
          throw new Failure('REQUEST_INVALID', `The rules are not right: ${first.message}`, { problems });
        }
        const before = await readSenderRules(tx, accountId, channel.id);
        const routes = rules.map(
          ({ name, fallback = [], fallbackOn = [] }): NewRoute => ({
            name,
            fallback: fallback.flatMap((sid) => senders.get(sid) ?? []),
            fallbackOn: fallbackOn.map(String),
          }),
        );
        await writeSenderRules(tx, accountId, channel.id, rules, routes, clock.now());
        await audit(tx, by, auditId, channel, before?.rules, rules);
      });
      directory.forget();
    },
    remove: async (by, channel) => {
      const { accountId } = by.caller;
      const auditId = by.ids.next();
      await database.transaction(async (tx) => {
        const before = await readSenderRules(tx, accountId, channel.id);
        if (before === undefined) throw noRules(channel.sid);
        await deleteSenderRules(tx, accountId, channel.id);
        await audit(tx, by, auditId, channel, before.rules, undefined);
      });
      directory.forget();
    },
  });
}

/** There is nothing to read or to remove. */
export function noRules(channel: string): Failure {
  return new Failure('NOT_FOUND', `Channel "${channel}" has no sender rules. PUT makes them.`);
}
