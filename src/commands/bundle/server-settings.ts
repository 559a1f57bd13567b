/** What a server holds of the members that only admins may read. Each is asked for when a bundle needs it. */
import { asFailure } from '../../errors.ts';
import type { SendingRules } from '../../flows/guards/sending-rules.ts';
import type { JsonObject } from '../../json.ts';
import type { SenderRule } from '../../storage/sender-rules.ts';
import type { ServerApi } from '../server-api.ts';
import type { ConnectorMember, WebhookMember } from './document.ts';

export type HeldConnector = ConnectorMember & { readonly id: string };
export type HeldWebhook = WebhookMember & { readonly id: string; readonly url: string };

export interface ServerSettings {
  readonly connectors: () => Promise<readonly HeldConnector[]>;
  /** The oldest first. */
  readonly webhooks: () => Promise<readonly HeldWebhook[]>;
  /** Undefined where none are set, or the server has no such channel. */
  readonly providerConfig: (channel: string) => Promise<JsonObject | undefined>;
  /** Undefined where there are none, or the server has no such channel. */
  readonly senderRules: (channel: string) => Promise<readonly SenderRule[] | undefined>;
  /** Undefined where there are none. */
  readonly sendingRules: () => Promise<SendingRules | undefined>;
}

/** Reads from a server; `isChannel` knows its channels. */
export function settingsOn(api: ServerApi, isChannel: (sid: string) => boolean): ServerSettings {
  return {
    connectors: () => api.list<HeldConnector>('/connectors'),
    webhooks: async () => [...(await api.list<HeldWebhook>('/webhooks'))].reverse(),
    providerConfig: async (channel) => {
      if (!isChannel(channel)) return undefined;
      const values = await api.get<JsonObject>(`/channels/${channel}/provider-config`);
      return Object.keys(values).length === 0 ? undefined : values;
    },
    senderRules: async (channel) => {
      if (!isChannel(channel)) return undefined;
      try {
        const { rules } = await api.get<{ rules: readonly SenderRule[] }>(
          `/channels/${channel}/sender-rules`,
        );
        return rules;
      } catch (thrown) {
        if (asFailure(thrown).code === 'NOT_FOUND') return undefined;
        throw thrown;
      }
    },
    sendingRules: async () => {
      const rules = await api.get<SendingRules>('/sending-rules');
      return rules.quietHours.length + rules.caps.length === 0 ? undefined : rules;
    },
  };
}
