/** Tokens: made, listed, revoked. A token is shown once and kept as a hash. */
import { hashToken, newToken, type Tokens } from '../../access/tokens.ts';
import { Failure } from '../../errors.ts';
import { refused } from '../../flows/find-channel.ts';
import type { Ground } from '../../flows/ground.ts';
import { isUuid } from '../../ids.ts';
import {
  issueToken,
  listTokens,
  lockAdminTokens,
  type Role,
  revokeToken,
  type TokenRow,
} from '../../storage/accounts.ts';
import { writeAudit } from '../../storage/audit.ts';
import { refuseUnfit } from '../check-request.ts';
import { pageOf, readPage } from '../page.ts';
import { type Route, route } from '../route.ts';
import { entityName, objectSchema, pageQuery, pageSchema, text, time, uuid } from '../schemas.ts';

interface TokenRequest {
  readonly name: string;
  readonly role: Role;
  readonly expiresAt?: string | null;
}

const ROLES: readonly Role[] = ['viewer', 'editor', 'admin'];
const orNull = { type: ['string', 'null'], format: 'date-time' };
const shownToken = objectSchema({
  id: uuid,
  name: entityName,
  role: { enum: [...ROLES] },
  createdAt: time,
  expiresAt: orNull,
  revokedAt: orNull,
});

/** Routes of tokens. */
export function tokenRoutes(ground: Ground, tokens: Tokens): Route[] {
  const { database, clock } = ground;
  return [
    route<TokenRequest>({
      method: 'POST',
      path: '/tokens',
      action: 'tokens.write',
      tag: 'tokens',
      summary: 'Make a token of this account. The answer is the only place where it ever stands.',
      secretAnswer: true,
      body: objectSchema(
        {
          name: entityName,
          role: { enum: [...ROLES] },
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
        refuseUnfit(body);
        const nowMs = clock.now();
        const expiresAtMs = typeof body.expiresAt === 'string' ? Date.parse(body.expiresAt) : null;
        if (expiresAtMs !== null && !(expiresAtMs > nowMs)) {
          throw refused('/expiresAt', 'expiresAt must be a time in the future.');
        }
        const { accountId, tokenId } = caller;
        const [id, auditId] = [ids.next(), ids.next()];
        const token = newToken();
        await database.transaction(async (tx) => {
          const { name, role } = body;
          const made = await issueToken(tx, {
            id,
            accountId,
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
      summary: 'Revoke a token at once. The last admin token of an account cannot be revoked.',
      answers: { 204: { description: 'It opens nothing any more.' } },
      run: async ({ caller, params, ids }) => {
        const { accountId, tokenId } = caller;
        const id = params.id ?? '';
        const nowMs = clock.now();
        const auditId = ids.next();
        if (!isUuid(id)) throw new Failure('NOT_FOUND', 'There is no token with this id.');
        await database.transaction(async (tx) => {
          const admins = await lockAdminTokens(tx, accountId, nowMs);
          if (admins.length === 1 && admins[0]?.id === id) {
            throw new Failure(
              'CONFLICT',
              'This is the last admin token of the account; without it nobody could make another. Make a new one first.',
            );
          }
          const revoked = await revokeToken(tx, accountId, id, nowMs);
          if (revoked === undefined)
            throw new Failure('NOT_FOUND', 'There is no token with this id to revoke.');
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
    name: row.name,
    role: row.role,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}
