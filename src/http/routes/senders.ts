/** Senders: an account's credentials and settings at a provider. Secrets go in and never come out. */
import { Failure } from '../../errors.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import { findChannel } from '../../flows/directory/find-channel.ts';
import {
  createFieldGroupChecks,
  type FieldGroupCheck,
  showFields,
  storeFields,
} from '../../flows/directory/stored-fields.ts';
import type { Runtime } from '../../flows/runtime.ts';
import type { SenderRow } from '../../storage/entities.ts';
import { referencesTo } from '../../storage/references.ts';
import { namesSender, readSenderRules } from '../../storage/sender-rules.ts';
import { isoTime } from '../../time.ts';
import { channelNames } from '../channel-names.ts';
import { refuseChange } from '../check-request.ts';
import { entityRoutes, type Show } from '../entity-routes.ts';
import type { Route } from '../route.ts';
import { anyObject, entityName, sid } from '../schemas.ts';

interface SenderRequest {
  readonly sid: string;
  readonly name: string;
  readonly channel: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

const members = {
  sid,
  name: entityName,
  channel: { ...sid, description: 'The sid of the channel.' },
  fields: {
    ...anyObject,
    description:
      "Values of the channel's sender fields. A change replaces them all, but a secret that is left out stays; null clears it.",
  },
};

/** Routes of senders. */
export function senderRoutes(runtime: Runtime, directory: Directory): Route[] {
  const forms = createFieldGroupChecks();
  const { clock, vault } = runtime;
  const names = channelNames(runtime, directory);

  const showWith =
    (channel: string | undefined, form: FieldGroupCheck | undefined): Show<'sender'> =>
    (row) => ({ channel, fields: showFields(row.fields, form?.secret) });

  const placeOf = async (row: SenderRow) => {
    const { sid, channel } = await names.of(row.channel_id);
    return { sid, form: channel && forms(channel.document, 'sender') };
  };

  return entityRoutes<'sender', SenderRequest>(runtime, directory, {
    table: 'sender',
    action: 'senders.write',
    members,
    required: ['channel'],
    shower: async (row) => {
      const { sid, form } = await placeOf(row);
      return showWith(sid, form);
    },
    plan: async (accountId, body, row) => {
      const setAt = isoTime(clock.now());
      const jsonOf = (form: FieldGroupCheck, stored: SenderRow['fields']) => {
        const fields = storeFields(vault, form, {
          given: body.fields ?? {},
          stored,
          setAt,
          pointer: '/fields',
        });
        return { json: JSON.stringify(fields) };
      };
      if (row === undefined) {
        const { document } = await findChannel(directory, accountId, body.channel, '/channel');
        const form = forms(document, 'sender');
        return {
          show: showWith(document.sid, form),
          channelId: document.id,
          values: () => ({ channel_id: document.id, fields: jsonOf(form, {}) }),
        };
      }
      const { sid, form } = await placeOf(row);
      refuseChange('channel', body.channel, sid);
      if (form === undefined && body.fields !== undefined) {
        throw new Failure(
          'CONFLICT',
          `Channel "${sid}" was deleted, so the fields of this sender cannot change.`,
        );
      }
      return {
        show: showWith(sid, form),
        values: (held): { fields?: { json: string } } =>
          form === undefined || body.fields === undefined ? {} : { fields: jsonOf(form, held?.fields ?? {}) },
      };
    },
    refuseRemoval: async (tx, row) => {
      const held = await readSenderRules(tx, row.account_id, row.channel_id);
      if (held !== undefined && namesSender(held.rules, row.sid)) {
        throw new Failure(
          'CONFLICT',
          `Sender "${row.sid}" cannot be deleted: the sender rules of its channel name it. Change them first.`,
        );
      }
      const references = await referencesTo(tx, 'sender', row.account_id, row.id);
      if (references.length === 0) return;
      throw new Failure(
        'CONFLICT',
        `Sender "${row.sid}" cannot be deleted: ${references.join(' and ')} refer to it, and must go on saying who sent.`,
      );
    },
    channelId: (query) => names.idOf(query.channel),
  });
}
