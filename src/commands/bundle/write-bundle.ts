/** What a server holds, as a bundle. Channels of the product and of folders are not in it, only what the account has made. */
import { type ChannelDocument, type FieldGroup, fieldsOf } from '../../channel/document.ts';
import { writtenForm } from '../../channel/written-form.ts';
import type { SendingRules } from '../../flows/guards/sending-rules.ts';
import { isObject, type Json, type JsonObject, setOwn } from '../../json.ts';
import type {
  BundleDocument,
  BundleMembers,
  ConnectorMember,
  ProviderConfigMember,
  ResourceMember,
  SenderMember,
  SenderRulesMember,
  TemplateMember,
  WebhookMember,
} from './document.ts';
import { referenceTo } from './references.ts';
import { keyOf, type ServerState } from './server-state.ts';

/** Members of channels that were deleted are left out: nobody could send with them. */
export async function writeBundle(state: ServerState): Promise<BundleDocument> {
  const names = createNames();
  const channels: JsonObject[] = [];
  for (const { sid, kind, shared } of sorted([...state.channels.values()], (each) => each.sid)) {
    const document = kind === 'custom' && !shared ? await state.document(sid) : undefined;
    if (document !== undefined) channels.push(writtenForm(document) as JsonObject);
  }
  const senders: SenderMember[] = [];
  for (const { sid, name, channel, fields = {} } of sorted([...state.senders.values()], keyOf)) {
    const document = await state.document(channel);
    if (document === undefined) continue;
    const values = referenced(document, 'sender', fields, [channel, sid], names);
    senders.push({ sid, name, channel, fields: values });
  }
  const resources: ResourceMember[] = [];
  for (const resource of sorted([...state.resources.values()], (each) => each.sid)) {
    const { sid, name, channels: held = {} } = resource;
    const kept: Record<string, { fields: JsonObject }> = {};
    for (const [channel, { fields = {} }] of Object.entries(held)) {
      const document = await state.document(channel);
      if (document === undefined) continue;
      kept[channel] = { fields: referenced(document, 'resource', fields, [sid, channel], names) };
    }
    resources.push({ sid, name, channels: kept });
  }
  const templates: TemplateMember[] = [];
  for (const { sid, name, channel, values: held } of sorted([...state.templates.values()], keyOf)) {
    const document = await state.document(channel);
    if (document === undefined) continue;
    const values = referenced(document, 'template', held, [channel, sid], names);
    templates.push({ sid, name, channel, values });
  }
  return { sluiceway: 1, channels, senders, resources, templates, ...(await writeSettings(state, names)) };
}

/** Kinds of which there are none are left out, so that a program that does not know them reads the rest. */
async function writeSettings(state: ServerState, names: Names): Promise<Partial<BundleMembers>> {
  const connectors = sorted(await state.connectors(), ({ sid }) => sid).map(
    ({ sid, name, kind, host, port, database, user, password, tls }): ConnectorMember => ({
      ...{ sid, name, kind, host, database, user },
      ...(port !== undefined && { port }),
      ...(isObject(password) && { password: referenceTo(names(['connector', sid, 'password'])) }),
      ...(tls !== undefined && { tls }),
    }),
  );
  const providerConfigs: ProviderConfigMember[] = [];
  for (const channel of [...state.channels.keys()].sort()) {
    const values = await state.providerConfig(channel);
    const document = values === undefined ? undefined : await state.document(channel);
    if (values === undefined || document === undefined) continue;
    const fields = referenced(document, 'account', values, [channel, 'account'], names);
    providerConfigs.push({ channel, fields });
  }
  const senderRules: SenderRulesMember[] = [];
  // Rules name senders, so that there are none if there is no sender.
  for (const channel of [...new Set([...state.senders.values()].map((each) => each.channel))].sort()) {
    const rules = await state.senderRules(channel);
    if (rules !== undefined) senderRules.push({ channel, rules });
  }
  const sendingRules = rulesOfChannels(await state.sendingRules(), state);
  const webhooks = sorted(await state.webhooks(), ({ url }) => url).map(
    ({ url, events, status }): WebhookMember => ({
      url,
      events,
      secret: referenceTo(names(['webhook', new URL(url).hostname, 'secret'])),
      ...(status === 'disabled' && { status }),
    }),
  );
  return {
    ...(connectors.length > 0 && { connectors }),
    ...(providerConfigs.length > 0 && { providerConfigs }),
    ...(senderRules.length > 0 && { senderRules }),
    ...(sendingRules !== undefined && { sendingRules }),
    ...(webhooks.length > 0 && { webhooks }),
  };
}

/** A rule of a channel that was deleted holds nothing back any more, and would not be taken again. */
function rulesOfChannels(
  rules: SendingRules | undefined,
  { channels }: ServerState,
): SendingRules | undefined {
  const isThere = ({ channel }: { readonly channel?: string }) =>
    channel === undefined || channels.has(channel);
  return rules && { quietHours: rules.quietHours.filter(isThere), caps: rules.caps.filter(isThere) };
}

/** The values with references where secrets are set. */
function referenced(
  document: ChannelDocument,
  group: FieldGroup,
  values: JsonObject,
  place: readonly string[],
  names: Names,
): JsonObject {
  const secret = new Set(
    fieldsOf(document.fields[group]).flatMap((field) => (field.secret === true ? [field.field] : [])),
  );
  const written: Record<string, Json> = {};
  for (const [name, value] of Object.entries(values)) {
    if (!secret.has(name)) setOwn(written, name, value);
    else if (value !== null) setOwn(written, name, referenceTo(names([...place, name])));
  }
  return written;
}

type Names = (words: readonly string[]) => string;

/** Names of variables, each given once: `ACME_MAIN_TOKEN`. */
function createNames(): Names {
  const taken = new Set<string>();
  return (words) => {
    const name = words.join('_').toUpperCase().replaceAll(/\W/g, '_');
    let free = name;
    for (let count = 2; taken.has(free); count += 1) free = `${name}_${count}`;
    taken.add(free);
    return free;
  };
}

function sorted<T>(list: readonly T[], key: (each: T) => string): readonly T[] {
  return [...list].sort((left, right) => (key(left) < key(right) ? -1 : key(left) > key(right) ? 1 : 0));
}
