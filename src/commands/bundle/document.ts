/** What a bundle is: what an account has set up, with secrets as references. */
import type { SourceText } from '../../channel/source-text.ts';
import type { SendingRules } from '../../flows/guards/sending-rules.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { SenderRule } from '../../storage/sender-rules.ts';

export interface SenderMember {
  readonly sid: string;
  readonly name: string;
  readonly channel: string;
  readonly fields?: JsonObject;
}

export interface ResourceMember {
  readonly sid: string;
  readonly name: string;
  readonly channels?: { readonly [channel: string]: { readonly fields?: JsonObject } };
}

export interface TemplateMember {
  readonly sid: string;
  readonly name: string;
  readonly channel: string;
  readonly values: JsonObject;
}

/** A database for `sql_pipe`; its texts may be references, and its password is one. */
export interface ConnectorMember {
  readonly sid: string;
  readonly name: string;
  readonly kind: string;
  readonly host: Json;
  readonly port?: number;
  readonly database: Json;
  readonly user: Json;
  readonly password?: Json;
  readonly tls?: Json;
}

/** The account's own settings of a channel. */
export interface ProviderConfigMember {
  readonly channel: string;
  readonly fields: JsonObject;
}

/** All sender rules of a channel. */
export interface SenderRulesMember {
  readonly channel: string;
  readonly rules: readonly SenderRule[];
}

/** Where operator events are sent; it has no other name than its address. */
export interface WebhookMember {
  readonly url: Json;
  readonly events: readonly string[];
  readonly secret?: Json;
  readonly status?: string;
}

/** A channel of a bundle, and where its named pipelines are. */
export interface BundleChannel {
  readonly sid: string;
  readonly source: SourceText;
  readonly pipelines: (name: string) => { readonly file: string; readonly text: string } | undefined;
}

/** Everything of a bundle but its channels. */
export interface BundleMembers {
  readonly senders: readonly SenderMember[];
  readonly resources: readonly ResourceMember[];
  readonly templates: readonly TemplateMember[];
  readonly connectors: readonly ConnectorMember[];
  readonly providerConfigs: readonly ProviderConfigMember[];
  readonly senderRules: readonly SenderRulesMember[];
  readonly sendingRules: SendingRules | undefined;
  readonly webhooks: readonly WebhookMember[];
}

export interface Bundle extends BundleMembers {
  readonly channels: readonly BundleChannel[];
}

/** A bundle as it stands in a file. */
export interface BundleDocument extends Partial<BundleMembers> {
  readonly sluiceway: 1;
  readonly channels?: readonly JsonObject[];
}
