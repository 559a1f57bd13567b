/** Tokens: made, listed, revoked. A token is shown once and kept as a hash. */
import { lowerRole, ROLES } from '../../access/permissions.ts';
import { hashToken, newToken, type Tokens } from '../../access/tokens.ts';
import { Failure } from '../../errors.ts';
import { refused } from '../../flows/directory/find-channel.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import { hasAdmin, holdAccess } from '../../storage/accounts.ts';
import { writeAudit } from '../../storage/audit.ts';
import { issueToken, listTokens, type Role, revokeToken, type TokenRow } from '../../storage/tokens.ts';
import { readUser } from '../../storage/users.ts';
import { pageOf, readPage } from '../page.ts';
import { type Route, route } from '../route.ts';
import { entityName, objectSchema, pageQuery, pageSchema, text, time, uuid } from '../schemas.ts';

interface TokenRequest {
  readonly userId?: string;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt?: string | null;
}

const orNull = { type: ['string', 'null'], format: 'date-time' };
const shownToken = objectSchema({
  id: uuid,
  userId: uuid,
  name: entityName,
  role: { enum: [...ROLES] },
  createdAt: time,
  expiresAt: orNull,
  revokedAt: orNull,
});

/** Routes of tokens. */
export function tokenRoutes(runtime: Runtime, tokens: Tokens): Route[] {
  const { database, clock } = runtime;
  return [
    route<TokenRequest>({
      method: 'POST',
      path: '/tokens',
      action: 'tokens.write',
      tag: 'tokens',
      summary: 'Make a token of a user. The answer is the only place where it ever stands.',
      secretAnswer: true,
      body: objectSchema(
        {
          userId: { ...uuid, description: 'Whose token it is. Left out: of the caller.' },
          name: entityName,
          role: { enum: [...ROLES], description: 'At most the role of the user.' },
          expiresAt: {
            ...orNull,
            description: 'After this the token opens nothing. Left out: it never expires.',
          },
        },
        ['name', 'role'],
      ),
      answers: {
        201: {
          description: 'The token.',
          schema: objectSchema({ id: uuid, token: text('Shown once.') }, ['id', 'token']),
        },
      },
      run: async ({ caller, body, ids }) => {
        const nowMs = clock.now();
        const expiresAtMs = typeof body.expiresAt === 'string' ? Date.parse(body.expiresAt) : null;
        if (expiresAtMs !== null && !(expiresAtMs > nowMs)) {
          throw refused('/expiresAt', 'expiresAt must be a time in the future.');
        }
        const { accountId, tokenId } = caller;
        const [id, auditId] = [ids.next(), ids.next()];
        const token = newToken();
        await database.transaction(async (tx) => {
          const { name, role, userId = caller.userId } = body;
          await holdAccess(tx, accountId);
          const user = await readUser(tx, accountId, userId);
          if (user === undefined) throw refused('/userId', 'There is no user with this id.');
          if (user.status !== 'active') {
            throw refused(
              '/userId',
              `The user ${user.email} is disabled; a token of theirs would open nothing.`,
            );
          }
          if (lowerRole(role, user.role) !== role) {
            throw refused(
              '/role',
              `A token carries at most the role of its user, and ${user.email} has the role ${user.role}.`,
            );
          }
          const made = await issueToken(tx, {
            id,
            accountId,
            userId,
            name,
            role,
            hash: hashToken(token),
            nowMs,
            expiresAtMs,
          });
          const entry = { id: auditId, accountId, tokenId, nowMs, subject: `tokens/${id}` };
          await writeAudit(tx, { ...entry, action: 'tokens.create', after: shown(made) });
        });
        return { status: 201, body: { id, token } };
      },
    }),
    route({
      method: 'GET',
      path: '/tokens',
      action: 'read',
      tag: 'tokens',
      summary: 'Tokens of this account, newest first; never the tokens themselves.',
      query: pageQuery,
      answers: { 200: { description: 'A page of tokens.', schema: pageSchema(shownToken) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const { rows, total } = await listTokens(database, caller.accountId, page);
        return { status: 200, body: pageOf(rows, total, page.limit, shown) };
      },
    }),
    route({
      method: 'DELETE',
      path: '/tokens/{id}',
      action: 'tokens.write',
      tag: 'tokens',
      summary: 'Revoke a token at once. The last token that lets an admin in cannot be revoked.',
      answers: { 204: { description: 'It opens nothing any more.' } },
      run: async ({ caller, params, ids }) => {
        const { accountId, tokenId } = caller;
        const id = params.id ?? '';
        const nowMs = clock.now();
        const auditId = ids.next();
        if (!isUuid(id)) throw new Failure('NOT_FOUND', 'There is no token with this id.');
        await database.transaction(async (tx) => {
          await holdAccess(tx, accountId);
          const hadAdmin = await hasAdmin(tx, accountId, nowMs);
          const revoked = await revokeToken(tx, accountId, id, nowMs);
          if (revoked === undefined)
            throw new Failure('NOT_FOUND', 'There is no token with this id to revoke.');
          if (hadAdmin && !(await hasAdmin(tx, accountId, nowMs))) {
            throw new Failure(
              'CONFLICT',
              'This is the last admin token of the account, and no admin has a password; without it nobody could make another. Make a new one first.',
            );
          }
          const entry = { id: auditId, accountId, tokenId, nowMs, subject: `tokens/${id}` };
          const before = shown({ ...revoked, revoked_at: null });
          await writeAudit(tx, { ...entry, action: 'tokens.revoke', before, after: shown(revoked) });
        });
        tokens.forget();
        return { status: 204 };
      },
    }),
  ];
}

function shown(row: TokenRow) {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    role: row.role,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}
