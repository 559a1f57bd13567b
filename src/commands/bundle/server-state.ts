/** What a server holds of the things that bundles hold. */
import { checkText } from '../../channel/check.ts';
import type { ChannelDocument, ChannelKind } from '../../channel/document.ts';
import { parseSource } from '../../channel/source-text.ts';
import { Failure } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { ServerApi } from '../server-api.ts';
import type { ResourceMember, SenderMember, TemplateMember } from './document.ts';
import { type ServerSettings, settingsOn } from './server-settings.ts';

export interface HeldChannel {
  readonly sid: string;
  readonly id: number;
  readonly kind: string;
  /** All accounts have it: it is loaded from a folder. */
  readonly shared: boolean;
}

/** An entity as answers show it: of secrets only that they are set. */
export type Held<T> = T & { readonly id: string };

export interface ServerState extends ServerSettings {
  readonly channels: ReadonlyMap<string, HeldChannel>;
  /** By `<channel>/<sid>`. */
  readonly senders: ReadonlyMap<string, Held<SenderMember>>;
  readonly resources: ReadonlyMap<string, Held<ResourceMember>>;
  /** By `<channel>/<sid>`. */
  readonly templates: ReadonlyMap<string, Held<TemplateMember>>;
  /** The document of a channel, undefined if the server has none of this sid. */
  readonly document: (sid: string) => Promise<ChannelDocument | undefined>;
}

/** Reads what everybody may read; documents are read when asked for, once each, and so is what only admins see. */
export async function readServerState(api: ServerApi): Promise<ServerState> {
  const [channels, senders, resources, templates] = await Promise.all([
    api.list<HeldChannel>('/channels'),
    api.list<Held<SenderMember>>('/senders'),
    api.list<Held<ResourceMember>>('/resources'),
    api.list<Held<TemplateMember>>('/templates'),
  ]);
  const bySid = new Map(channels.map((channel) => [channel.sid, channel]));
  const documents = new Map<string, Promise<ChannelDocument>>();
  return {
    ...settingsOn(api, (sid) => bySid.has(sid)),
    channels: bySid,
    senders: new Map(senders.map((each) => [keyOf(each), each])),
    resources: new Map(resources.map((each) => [each.sid, each])),
    templates: new Map(templates.map((each) => [keyOf(each), each])),
    document: async (sid) => {
      const held = bySid.get(sid);
      if (held === undefined) return undefined;
      const known = documents.get(sid) ?? readDocument(api, held);
      documents.set(sid, known);
      return known;
    },
  };
}

/** `<channel>/<sid>`: the sids of senders and templates are unique within a channel. */
export function keyOf({ channel, sid }: { readonly channel: string; readonly sid: string }): string {
  return `${channel}/${sid}`;
}

/** The kind that an answer names; what is new is custom. */
export function kindOf(kind: string | undefined): ChannelKind {
  return kind === 'built_in' || kind === 'system' ? kind : 'custom';
}

async function readDocument(api: ServerApi, { sid, kind }: HeldChannel): Promise<ChannelDocument> {
  const { document } = await api.get<{ document: JsonObject }>(`/channels/${sid}`);
  const source = parseSource(`${sid} on the server`, JSON.stringify(document, null, 2));
  const checked = checkText(source, {
    file: source.file,
    text: '',
    kind: kindOf(kind),
    pipelines: () => undefined,
  });
  if (checked.document !== undefined) return checked.document;
  throw new Failure(
    'CONFLICT',
    `The server's channel "${sid}" does not pass the checks of this program, so the two cannot be compared. Use the same version of Sluiceway as the server.`,
    { problems: checked.findings },
  );
}
