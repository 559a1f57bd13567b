/** An account's own settings of a channel: the values of its account fields, with its secrets sealed. */
import type { ChannelDocument } from '../../channel/document.ts';
import { writeAudit } from '../../storage/audit.ts';
import { lockChannels, readProviderConfig, writeProviderConfig } from '../../storage/channels.ts';
import { isoTime } from '../../time.ts';
import type { Directory } from '../directory/directory.ts';
import { createFieldGroupChecks, showFields, storeFields } from '../directory/stored-fields.ts';
import type { Runtime } from '../runtime.ts';
import type { ChannelAuthor } from './save-channel.ts';

type Values = Readonly<Record<string, unknown>>;

export interface ProviderConfig {
  /** As people may see it: of secrets only that they are set, and when. */
  readonly read: (accountId: string, channel: ChannelDocument) => Promise<Values>;
  /** Replaces the values; a secret that is left out stays, null clears it. Throws VALUES_INVALID. */
  readonly write: (by: ChannelAuthor, channel: ChannelDocument, given: Values) => Promise<Values>;
}

export function createProviderConfig(runtime: Runtime, directory: Directory): ProviderConfig {
  const { database, clock, vault } = runtime;
  const forms = createFieldGroupChecks();
  return Object.freeze<ProviderConfig>({
    read: async (accountId, channel) => {
      const stored = await readProviderConfig(database, accountId, channel.id);
      return showFields(stored ?? {}, forms(channel, 'account').secret);
    },
    write: async (by, channel, given) => {
      const { accountId, tokenId } = by.caller;
      const form = forms(channel, 'account');
      const nowMs = clock.now();
      const auditId = by.ids.next();
      const shown = await database.transaction(async (tx) => {
        await lockChannels(tx);
        const stored = (await readProviderConfig(tx, accountId, channel.id)) ?? {};
        const values = storeFields(vault, form, { given, stored, setAt: isoTime(nowMs), pointer: '' });
        await writeProviderConfig(tx, accountId, channel.id, JSON.stringify(values), nowMs);
        const after = showFields(values, form.secret);
        await writeAudit(tx, {
          id: auditId,
          accountId,
          tokenId,
          action: 'channels.provider-config',
          subject: `channels/${channel.sid}`,
          before: showFields(stored, form.secret),
          after,
          nowMs,
        });
        return after;
      });
      directory.forget();
      return shown;
    },
  });
}
