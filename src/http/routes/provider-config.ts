/** What an account sets for itself in a channel, such as its own credentials at the provider. */
import type { Directory } from '../../flows/directory/directory.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { createProviderConfig } from '../../flows/setup/provider-config.ts';
import { type Route, route } from '../route.ts';
import { anyObject } from '../schemas.ts';
import { visibleChannel } from '../visible-channel.ts';

const values = {
  ...anyObject,
  description: "Values of the channel's account fields. Of secrets only { set, setAt } is ever shown.",
};

/** Routes of provider settings. */
export function providerConfigRoutes(runtime: Runtime, directory: Directory): Route[] {
  const config = createProviderConfig(runtime, directory);
  const path = '/channels/{sid}/provider-config';
  return [
    route({
      method: 'GET',
      path,
      action: 'read',
      tag: 'channels',
      summary: "The account's own settings of a channel.",
      answers: { 200: { description: 'The values.', schema: values } },
      run: async ({ caller, params }) => {
        const { channel } = await visibleChannel(directory, caller.accountId, params.sid ?? '');
        return { status: 200, body: await config.read(caller.accountId, channel.document) };
      },
    }),
    route<Readonly<Record<string, unknown>>>({
      method: 'PUT',
      path,
      action: 'senders.write',
      tag: 'channels',
      summary:
        "Set the account's own settings of a channel. A secret that is left out stays as it is; null clears it.",
      body: values,
      answers: { 200: { description: 'The values.', schema: values } },
      run: async ({ caller, ids, params, body }) => {
        const { channel } = await visibleChannel(directory, caller.accountId, params.sid ?? '');
        return { status: 200, body: await config.write({ caller, ids }, channel.document, body) };
      },
    }),
  ];
}
