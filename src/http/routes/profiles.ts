/** Profiles: people, by their external id, with free fields. */
import { Failure } from '../../errors.ts';
import { profileHeader } from '../../flows/audience/import/headers.ts';
import { type ProfileRequest, writeProfiles } from '../../flows/audience/write-profiles.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { writeAudit } from '../../storage/audit.ts';
import {
  deleteProfile,
  listProfiles,
  type ProfileRow,
  readProfile,
  waitingForProfile,
} from '../../storage/profiles.ts';
import { compileSchema } from '../../validate.ts';
import { importRoute } from '../import-route.ts';
import { pageOf, readPage } from '../page.ts';
import { type Route, route } from '../route.ts';
import { anyObject, externalId, objectSchema, pageQuery, pageSchema, time, uuid } from '../schemas.ts';

const members = {
  externalId,
  fields: { ...anyObject, description: 'Free fields; merged into those that are there.' },
};
const profileRequest = objectSchema(members, ['externalId']);
const shownProfile = objectSchema({ id: uuid, ...members, createdAt: time, updatedAt: time });

/** Routes of profiles. The audit names fields of people and never their values, so that deletion leaves nothing. */
export function profileRoutes(runtime: Runtime): Route[] {
  const { database, clock } = runtime;

  const find = async (accountId: string, external: string | undefined): Promise<ProfileRow> => {
    const row = await readProfile(database, accountId, external ?? '');
    if (row === undefined) throw new Failure('NOT_FOUND', 'There is no profile with this external id.');
    return row;
  };

  return [
    route<ProfileRequest>({
      method: 'POST',
      path: '/profiles',
      action: 'profiles.write',
      tag: 'profiles',
      summary: 'Create a profile, or update the one with this external id.',
      body: profileRequest,
      answers: {
        200: { description: 'The updated profile.', schema: shownProfile },
        201: { description: 'The new profile.', schema: shownProfile },
      },
      run: async ({ caller, body, ids }) => {
        const { accountId, tokenId } = caller;
        const auditId = ids.next();
        const nowMs = clock.now();
        const { created, row } = await database.transaction(async (tx) => {
          const before = await readProfile(tx, accountId, body.externalId);
          const [written] = await writeProfiles(tx, accountId, [body], ids, nowMs);
          if (written instanceof Failure) throw written;
          const row = await readProfile(tx, accountId, body.externalId);
          if (row === undefined) throw new Failure('BUG', 'A written profile is not there.');
          await writeAudit(tx, {
            id: auditId,
            accountId,
            tokenId,
            action: written === 'created' ? 'profiles.create' : 'profiles.update',
            subject: `profiles/${row.id}`,
            ...(written === 'updated' && before !== undefined && { before: masked(before) }),
            after: masked(row),
            nowMs,
          });
          return { created: written === 'created', row };
        });
        return { status: created ? 201 : 200, body: shown(row) };
      },
    }),
    importRoute<ProfileRequest>(runtime, {
      tag: 'profiles',
      summary:
        'Import profiles: NDJSON with { "externalId", "fields" } on each line, or CSV with the column externalId, every other column a field. A column such as age:number, vip:bool or tags:json has another type than text; an empty cell changes nothing.',
      row: compileSchema(profileRequest),
      readHeader: profileHeader,
      write: ({ accountId }, requests) =>
        writeProfiles(database, accountId, requests, runtime.ids, clock.now()),
    }),
    route({
      method: 'GET',
      path: '/profiles',
      action: 'read',
      tag: 'profiles',
      summary: 'Profiles, newest first.',
      query: {
        ...pageQuery,
        externalId: { type: 'string', description: 'Only the profile with this external id.' },
      },
      answers: { 200: { description: 'A page of profiles.', schema: pageSchema(shownProfile) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const wanted = typeof query.externalId === 'string' ? query.externalId : undefined;
        const { rows, total } = await listProfiles(database, caller.accountId, wanted, page);
        return { status: 200, body: pageOf(rows, total, page.limit, shown) };
      },
    }),
    route({
      method: 'GET',
      path: '/profiles/{externalId}',
      action: 'read',
      tag: 'profiles',
      summary: 'One profile.',
      answers: { 200: { description: 'The profile.', schema: shownProfile } },
      run: async ({ caller, params }) => ({
        status: 200,
        body: shown(await find(caller.accountId, params.externalId)),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/profiles/{externalId}',
      action: 'profiles.write',
      tag: 'profiles',
      summary: 'Delete a profile with its subscriptions, once no message to it waits.',
      answers: { 204: { description: 'It is gone; its messages stay, without its name.' } },
      run: async ({ caller, params, ids }) => {
        const { accountId, tokenId } = caller;
        const auditId = ids.next();
        const row = await find(accountId, params.externalId);
        await database.transaction(async (tx) => {
          const waiting = await waitingForProfile(tx, accountId, row.id);
          if (waiting > 0) {
            throw new Failure(
              'WRONG_STATE',
              `This profile cannot be deleted while messages to it wait (${waiting}). Stop them, or try again when they are through.`,
            );
          }
          const subscriptions = await deleteProfile(tx, accountId, row.id);
          await writeAudit(tx, {
            id: auditId,
            accountId,
            tokenId,
            action: 'profiles.delete',
            subject: `profiles/${row.id}`,
            before: { fields: Object.keys(row.fields), subscriptions },
            nowMs: clock.now(),
          });
        });
        return { status: 204 };
      },
    }),
  ];
}

function masked(row: ProfileRow) {
  return { id: row.id, fields: Object.keys(row.fields) };
}

function shown(row: ProfileRow) {
  return {
    id: row.id,
    externalId: row.external_id,
    fields: row.fields,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
