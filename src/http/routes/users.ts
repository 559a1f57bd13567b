/** Users: people of an account, each with a role. */

import type { Passwords } from '../../access/passwords.ts';
import { ROLES } from '../../access/permissions.ts';
import type { Tokens } from '../../access/tokens.ts';
import { createUsers, shownUser, type UserChangeRequest, type UserRequest } from '../../access/users.ts';
import { Failure } from '../../errors.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import type { JsonObject } from '../../json.ts';
import { listUsers, readUser } from '../../storage/users.ts';
import { pageOf, readPage } from '../page.ts';
import { type Route, route } from '../route.ts';
import { entityName, objectSchema, pageQuery, pageSchema, text, time, uuid } from '../schemas.ts';

/** ASCII only: letters that look alike must not make two people one. */
const email = text('Unique in the account, however it is capitalised; never changes.', {
  pattern: '^[!-?A-~]+@[!-?A-~]+$',
  maxLength: 254,
});
/** A new password, wherever one is given. */
export const newPassword = text('12 to 256 characters, and not the email. Never shown again.', {
  minLength: 12,
  maxLength: 256,
});
const role: JsonObject = { enum: [...ROLES] };
const status: JsonObject = { enum: ['active', 'disabled'] };

/** A user as answers show it. */
export const shownUserSchema = objectSchema({
  id: uuid,
  email,
  name: entityName,
  role,
  status,
  hasPassword: { type: 'boolean', description: 'Whether the user can sign in with a password.' },
  lockedUntil: {
    type: ['string', 'null'],
    format: 'date-time',
    description: 'Until when no password is looked at, after too many wrong ones.',
  },
  createdAt: time,
  updatedAt: time,
});

/** A user as a request makes one. */
export const newUserSchema = objectSchema({ email, name: entityName, role, password: newPassword }, [
  'email',
  'name',
  'role',
]);

/** Routes of users. */
export function userRoutes(runtime: Runtime, tokens: Tokens, passwords: Passwords): Route[] {
  const { database, clock } = runtime;
  const users = createUsers(database, clock, passwords, tokens.forget);
  const known = (id: string | undefined): string => {
    if (!isUuid(id)) throw new Failure('NOT_FOUND', 'There is no user with this id.');
    return id;
  };
  const changeRoute = (method: 'PUT' | 'PATCH') =>
    route<UserChangeRequest>({
      method,
      path: '/users/{id}',
      action: 'users.write',
      tag: 'users',
      summary:
        'Change a user; members that are left out stay as they are. A new password ends the sessions of the user.',
      secretBody: true,
      body: { ...objectSchema({ name: entityName, role, status, password: newPassword }), minProperties: 1 },
      answers: { 200: { description: 'The user.', schema: shownUserSchema } },
      run: async ({ caller, params, body, ids }) => {
        const row = await users.change({ caller, ids }, known(params.id), body);
        return { status: 200, body: shownUser(row) };
      },
    });
  return [
    route<UserRequest>({
      method: 'POST',
      path: '/users',
      action: 'users.write',
      tag: 'users',
      summary: 'Make a user. Without a password the user has tokens, or signs in through OpenID Connect.',
      secretBody: true,
      body: newUserSchema,
      answers: { 201: { description: 'The user.', schema: shownUserSchema } },
      run: async ({ caller, body, ids }) => {
        return { status: 201, body: shownUser(await users.create({ caller, ids }, body)) };
      },
    }),
    route({
      method: 'GET',
      path: '/users',
      action: 'read',
      tag: 'users',
      summary: 'Users of this account, newest first.',
      query: pageQuery,
      answers: { 200: { description: 'A page of users.', schema: pageSchema(shownUserSchema) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const { rows, total } = await listUsers(database, caller.accountId, page);
        return { status: 200, body: pageOf(rows, total, page.limit, shownUser) };
      },
    }),
    route({
      method: 'GET',
      path: '/users/{id}',
      action: 'read',
      tag: 'users',
      summary: 'One user.',
      answers: { 200: { description: 'The user.', schema: shownUserSchema } },
      run: async ({ caller, params }) => {
        const row = await readUser(database, caller.accountId, known(params.id));
        if (row === undefined) throw new Failure('NOT_FOUND', 'There is no user with this id.');
        return { status: 200, body: shownUser(row) };
      },
    }),
    changeRoute('PUT'),
    changeRoute('PATCH'),
    route({
      method: 'DELETE',
      path: '/users/{id}',
      action: 'users.write',
      tag: 'users',
      summary: 'Disable a user: sessions end, tokens stop at once. The user stays, since history names it.',
      answers: { 204: { description: 'The user opens nothing any more.' } },
      run: async ({ caller, params, ids }) => {
        await users.change({ caller, ids }, known(params.id), { status: 'disabled' });
        return { status: 204 };
      },
    }),
  ];
}
