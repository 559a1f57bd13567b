/** Resources: what people subscribe to, with the values that each channel needs of them. */
import type { Vault } from '../../access/vault.ts';
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
import { isObject, own, pointerTo, setOwn } from '../../json.ts';
import type { ResourceRow } from '../../storage/entities.ts';
import { referencesTo } from '../../storage/references.ts';
import { isoTime } from '../../time.ts';
import { entityRoutes, type Show } from '../entity-routes.ts';
import type { Route } from '../route.ts';
import { anyObject, entityName, sid } from '../schemas.ts';

type Values = Readonly<Record<string, unknown>>;
type Channels = Readonly<Record<string, Values>>;

interface ResourceRequest {
  readonly sid: string;
  readonly name: string;
  readonly channels?: Channels;
}

const members = {
  sid,
  name: entityName,
  channels: {
    type: 'object',
    additionalProperties: anyObject,
    description:
      'By channel sid: { "fields": values of the channel\'s resource fields }. A change replaces them all, but a secret that is left out stays as long as its channel is named; null clears it.',
  },
};

/** Routes of resources. */
export function resourceRoutes(runtime: Runtime, directory: Directory): Route[] {
  const forms = createFieldGroupChecks();
  const { clock, vault } = runtime;

  /** The forms of channels by sid, of those that are there. */
  const formsOf = async (sids: readonly string[]): Promise<Map<string, FieldGroupCheck>> => {
    const found = new Map<string, FieldGroupCheck>();
    for (const sid of sids) {
      const known = await directory.channel(sid);
      if (known !== undefined) found.set(sid, forms(known.channel.document, 'resource'));
    }
    return found;
  };
  const showWith =
    (known: ReadonlyMap<string, FieldGroupCheck>): Show<'resource'> =>
    (row) => ({
      channels: Object.fromEntries(
        Object.entries(row.channels).map(([sid, stored]) => [
          sid,
          { fields: showFields(stored, known.get(sid)?.secret) },
        ]),
      ),
    });

  return entityRoutes<'resource', ResourceRequest>(runtime, directory, {
    table: 'resource',
    action: 'resources.write',
    members,
    required: [],
    shower: async (row) => showWith(await formsOf(Object.keys(row.channels))),
    plan: async (accountId, body, row) => {
      const given = body.channels;
      for (const sid of Object.keys(given ?? {})) {
        await findChannel(directory, accountId, sid, pointerTo('/channels', sid));
      }
      const known = await formsOf([...Object.keys(given ?? {}), ...Object.keys(row?.channels ?? {})]);
      const setAt = isoTime(clock.now());
      return {
        show: showWith(known),
        values: (held): { channels?: { json: string } } => {
          if (given === undefined && held !== undefined) return {};
          return {
            channels: { json: JSON.stringify(storeChannels(vault, known, given ?? {}, held, setAt)) },
          };
        },
      };
    },
    refuseRemoval: async (tx, row) => {
      const references = await referencesTo(tx, 'resource', row.account_id, row.id);
      if (references.length === 0) return;
      throw new Failure(
        'CONFLICT',
        `Resource "${row.sid}" cannot be deleted: ${references.join(' and ')} refer to it.`,
      );
    },
  });
}

function storeChannels(
  vault: Vault,
  known: ReadonlyMap<string, FieldGroupCheck>,
  given: Channels,
  held: ResourceRow | undefined,
  setAt: string,
): Record<string, unknown> {
  const stored: Record<string, unknown> = {};
  for (const [sid, value] of Object.entries(given)) {
    const form = known.get(sid);
    if (form === undefined) continue;
    const at = pointerTo('/channels', sid);
    const fields = fieldsIn(value, form);
    const before = own(held?.channels, sid);
    const write = {
      given: fields ?? value,
      stored: isObject(before) ? before : {},
      setAt,
      pointer: fields === undefined ? at : `${at}/fields`,
    };
    setOwn(stored, sid, storeFields(vault, form, write));
  }
  return stored;
}

/** The member `fields`, unless the values of the fields stand there themselves. */
function fieldsIn(value: Values, form: FieldGroupCheck): Values | undefined {
  const fields = own(value, 'fields');
  return isObject(fields) && Object.keys(value).length === 1 && !form.names.has('fields')
    ? fields
    : undefined;
}
