/** Anyone who asks: the user behind the token, and what users do for themselves. */
import { ROLES } from '../../access/permissions.ts';
import type { Sessions } from '../../access/sessions.ts';
import { shownUser } from '../../access/users.ts';
import { Failure } from '../../errors.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { readAccounts } from '../../storage/accounts.ts';
import { readToken } from '../../storage/tokens.ts';
import { readUser } from '../../storage/users.ts';
import { type Route, route } from '../route.ts';
import { entityName, objectSchema, text, uuid } from '../schemas.ts';
import { newPassword, shownUserSchema } from './users.ts';

/** Routes of the caller. */
export function meRoutes(runtime: Runtime, sessions: Sessions): Route[] {
  const { database } = runtime;
  return [
    route({
      method: 'GET',
      path: '/me',
      action: 'read',
      tag: 'me',
      summary: 'Who asks: user, account, token, and the role that counts.',
      answers: {
        200: {
          description: 'Who asks.',
          schema: objectSchema({
            user: shownUserSchema,
            account: objectSchema({ id: uuid, name: entityName }),
            role: { enum: [...ROLES], description: 'The lower of those of user and token.' },
            token: objectSchema({
              id: uuid,
              kind: { enum: ['api', 'session'] },
              name: entityName,
              expiresAt: { type: ['string', 'null'], format: 'date-time' },
            }),
          }),
        },
      },
      run: async ({ caller }) => {
        const { accountId, userId, tokenId, role } = caller;
        const [user, [account], token] = await Promise.all([
          readUser(database, accountId, userId),
          readAccounts(database, [accountId]),
          readToken(database, accountId, tokenId),
        ]);
        if (user === undefined || account === undefined || token === undefined) {
          throw new Failure('BUG', 'The token belongs to nobody.');
        }
        const { id, kind, name, expires_at } = token;
        return {
          status: 200,
          body: {
            user: shownUser(user),
            account: { id: account.id, name: account.name },
            role,
            token: { id, kind, name, expiresAt: expires_at },
          },
        };
      },
    }),
    route<{ current: string; password: string }>({
      method: 'POST',
      path: '/me/password',
      action: 'read',
      tag: 'me',
      summary: 'Change your own password. All your other sessions end; tokens stay.',
      secretBody: true,
      body: objectSchema(
        { current: text('The password until now.', { minLength: 1, maxLength: 256 }), password: newPassword },
        ['current', 'password'],
      ),
      answers: { 204: { description: 'The new password is the one that counts.' } },
      run: async ({ caller, body, ids }) => {
        await sessions.changePassword(caller, body.current, body.password, ids);
        return { status: 204 };
      },
    }),
  ];
}
