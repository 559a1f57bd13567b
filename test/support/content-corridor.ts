/** Content items in a corridor: a channel that takes texts, people, and items as their lifecycle leaves them. */
import { addItem, type GivenItem } from './content-rows.ts';
import { type ApiAnswer, type Corridor, openCorridor } from './corridor.ts';
import { messagePipeline, person, smsChannel } from './sms-channel.ts';

export const CONTENT_FIELDS = {
  sender: [
    { field: 'token', type: 'string', name: 'Token', required: true, secret: true },
    { field: 'base_url', type: 'url', name: 'Address', required: true },
  ],
  subscription: [{ field: 'phone', type: 'string', name: 'Phone', required: true }],
  template: [
    { field: 'text', type: 'text', name: 'Text', required: true, max_length: 60 },
    { field: 'footer', type: 'html', name: 'Footer', default: '{{ resource.name }}' },
  ],
};

export interface ContentCorridor {
  readonly corridor: Corridor;
  /** A channel that takes items of type `sms_text`. */
  readonly channelWith: (sid: string, pipeline: ReturnType<typeof messagePipeline>) => Promise<void>;
  readonly add: (given: GivenItem) => Promise<string>;
  /** Sends an item to ann through `text_gate`, unless it says otherwise. */
  readonly post: (contentItemId: string, more?: object) => Promise<ApiAnswer>;
  /** The same, and gives the id of the message. */
  readonly accepted: (contentItemId: string, more?: object) => Promise<string>;
  /** The text that the provider got for a message. */
  readonly sentTo: (id: string) => Promise<string | undefined>;
}

/** Opens a corridor with the channel `text_gate`, the resource `shop`, and ann, bob, who has no name, and cleo. */
export async function openContentCorridor(kind: 'embedded' | 'server'): Promise<ContentCorridor> {
  const corridor = await openCorridor(kind);
  const channelWith: ContentCorridor['channelWith'] = (sid, pipeline) =>
    corridor.addChannel(
      smsChannel(sid, pipeline, { fields: CONTENT_FIELDS, content: { sms_text: { text: 'body' } } }),
    );
  const post: ContentCorridor['post'] = (contentItemId, more = {}) =>
    corridor.api('POST /messages', {
      channel: 'text_gate',
      resource: 'shop',
      profile: 'ann',
      attributes: { code: 7 },
      contentItemId,
      ...more,
    });
  await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  await channelWith('text_gate', messagePipeline());
  await corridor.addSender('text_gate');
  for (const [externalId, fields] of Object.entries({
    ann: { name: 'Ann' },
    bob: {},
    cleo: { name: 'Cleo' },
  })) {
    await corridor.send('text_gate', person(externalId, fields));
  }
  await corridor.idle();
  return {
    corridor,
    channelWith,
    add: (given) => addItem(corridor.database, corridor.accountId, given),
    post,
    accepted: async (contentItemId, more) => {
      const { status, body } = await post(contentItemId, more);
      if (status !== 202) throw new Error(JSON.stringify(body));
      return body.id;
    },
    sentTo: async (id) => {
      const log = await corridor.provider.log();
      const text = log.find((each) => each.reference === id)?.body;
      return text === undefined ? undefined : (JSON.parse(text).text as string);
    },
  };
}
