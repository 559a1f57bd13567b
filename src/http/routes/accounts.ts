/** Accounts: each a tenant of its own. */
import { firstUser } from '../../access/first-user.ts';
import { hashToken, newToken } from '../../access/tokens.ts';
import { Failure } from '../../errors.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { type AccountRow, findAccount, insertAccount, readAccounts } from '../../storage/accounts.ts';
import { writeAudit } from '../../storage/audit.ts';
import { issueToken } from '../../storage/tokens.ts';
import { pageOf, readPage } from '../page.ts';
import { type Route, route } from '../route.ts';
import { entityName, objectSchema, pageQuery, pageSchema, text, time, uuid } from '../schemas.ts';

const shownAccount = objectSchema({ id: uuid, name: entityName, createdAt: time });

/** Routes of accounts. */
export function accountRoutes(runtime: Runtime): Route[] {
  const { database, clock } = runtime;
  return [
    route<{ name: string }>({
      method: 'POST',
      path: '/accounts',
      action: 'accounts.write',
      tag: 'accounts',
      summary:
        'Make an account with its first user, an admin, and a token of that user. The answer is the only place where that ever stands.',
      secretAnswer: true,
      body: objectSchema({ name: entityName }, ['name']),
      answers: {
        201: {
          description: 'The account and its first admin token.',
          schema: objectSchema({ id: uuid, token: text('Shown once.') }, ['id', 'token']),
        },
      },
      run: async ({ caller, body, ids }) => {
        const nowMs = clock.now();
        const [id, firstTokenId, auditId, userId] = [ids.next(), ids.next(), ids.next(), ids.next()];
        const token = newToken();
        const { name } = body;
        await database.transaction(async (tx) => {
          const made = (await insertAccount(tx, { id, name, nowMs })) ?? (await findAccount(tx, name));
          // The same id: a repeat of this very write, whose answer was lost.
          if (made?.id !== id) {
            const message = `There is already an account "${name}". Choose another name.`;
            throw new Failure('CONFLICT', message, { problems: [{ pointer: '/name', message }] });
          }
          const user = await firstUser(tx, id, userId, nowMs);
          await issueToken(tx, {
            id: firstTokenId,
            accountId: id,
            userId: user.id,
            name: 'first',
            role: 'admin',
            hash: hashToken(token),
            nowMs,
            expiresAtMs: null,
          });
          await writeAudit(tx, {
            id: auditId,
            accountId: caller.accountId,
            tokenId: caller.tokenId,
            action: 'accounts.create',
            subject: `accounts/${id}`,
            after: shown(made),
            nowMs,
          });
        });
        return { status: 201, body: { id, token } };
      },
    }),
    route({
      method: 'GET',
      path: '/accounts',
      action: 'read',
      tag: 'accounts',
      summary: 'The account of this token; others are not shown.',
      query: pageQuery,
      answers: { 200: { description: 'A page with the one account.', schema: pageSchema(shownAccount) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const rows = await readAccounts(database, [caller.accountId]);
        const from = rows.filter((row) => page.before === undefined || row.id < page.before);
        return { status: 200, body: pageOf(from, rows.length, page.limit, shown) };
      },
    }),
    route({
      method: 'GET',
      path: '/accounts/{id}',
      action: 'read',
      tag: 'accounts',
      summary: 'The account of this token.',
      answers: { 200: { description: 'The account.', schema: shownAccount } },
      run: async ({ caller, params }) => {
        const [row] = params.id === caller.accountId ? await readAccounts(database, [caller.accountId]) : [];
        if (row === undefined) throw new Failure('NOT_FOUND', 'There is no account with this id.');
        return { status: 200, body: shown(row) };
      },
    }),
  ];
}

function shown(row: AccountRow) {
  return { id: row.id, name: row.name, createdAt: row.created_at };
}
