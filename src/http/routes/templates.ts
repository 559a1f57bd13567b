/** Templates: content to send again and again, in the template fields of a channel. */
import { Failure } from '../../errors.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import { findChannel } from '../../flows/directory/find-channel.ts';
import type { KnownChannel } from '../../flows/directory/known-channel.ts';
import { createFieldGroupChecks, invalid, placed, showFields } from '../../flows/directory/stored-fields.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { channelNames } from '../channel-names.ts';
import { refuseChange } from '../check-request.ts';
import { entityRoutes, type Show } from '../entity-routes.ts';
import type { Route } from '../route.ts';
import { anyObject, entityName, sid } from '../schemas.ts';

type Values = Readonly<Record<string, unknown>>;

interface TemplateRequest {
  readonly sid: string;
  readonly name: string;
  readonly channel: string;
  readonly values: Values;
}

const members = {
  sid,
  name: entityName,
  channel: { ...sid, description: 'The sid of the channel.' },
  values: {
    ...anyObject,
    description: "Values of the channel's template fields, with Liquid. A change replaces them all.",
  },
};

/** Routes of templates. */
export function templateRoutes(runtime: Runtime, directory: Directory): Route[] {
  const forms = createFieldGroupChecks();
  const names = channelNames(runtime, directory);

  const showWith =
    (sid: string | undefined, channel: KnownChannel | undefined): Show<'template'> =>
    (row) => ({
      channel: sid,
      version: row.version,
      values: showFields(row.values, channel && forms(channel.document, 'template').secret),
    });

  /** The values with their defaults; Liquid is compiled, so that what cannot work is never kept. */
  const checked = (channel: KnownChannel, given: Values): { json: string } => {
    const { values, problems } = forms(channel.document, 'template').check(given, 'saved');
    if (problems.length > 0) throw invalid(placed(problems, '/values'));
    try {
      directory.content(channel, values);
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      const at = placed(thrown.details.problems ?? [], '/values');
      throw new Failure(thrown.code, thrown.message, { ...thrown.details, problems: at });
    }
    return { json: JSON.stringify(values) };
  };

  return entityRoutes<'template', TemplateRequest>(runtime, directory, {
    table: 'template',
    action: 'content.write',
    members,
    required: ['channel', 'values'],
    shownMembers: { version: { type: 'integer', description: 'Counts up with each change.' } },
    shower: async (row) => {
      const { sid, channel } = await names.of(row.channel_id);
      return showWith(sid, channel);
    },
    plan: async (accountId, body, row) => {
      if (row === undefined) {
        const channel = await findChannel(directory, accountId, body.channel, '/channel');
        const { id, sid } = channel.document;
        const values = checked(channel, body.values);
        return {
          show: showWith(sid, channel),
          channelId: id,
          values: () => ({ channel_id: id, version: 1, values }),
        };
      }
      const { sid, channel } = await names.of(row.channel_id);
      refuseChange('channel', body.channel, sid);
      if (channel === undefined && body.values !== undefined) {
        throw new Failure(
          'CONFLICT',
          `Channel "${sid}" was deleted, so the values of this template cannot change.`,
        );
      }
      const values =
        channel === undefined || body.values === undefined ? undefined : checked(channel, body.values);
      return {
        show: showWith(sid, channel),
        values: (held) => ({ version: (held?.version ?? 0) + 1, ...(values !== undefined && { values }) }),
      };
    },
    channelId: (query) => names.idOf(query.channel),
  });
}
