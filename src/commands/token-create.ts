/** `sluiceway token create`: a token made in the database itself, for anyone who has no admin token yet. */
import { FIRST_EMAIL, firstUser } from '../access/first-user.ts';
import { lowerRole, ROLES } from '../access/permissions.ts';
import { hashToken, newToken } from '../access/tokens.ts';
import { openDatabase } from '../app.ts';
import { readConfig } from '../config.ts';
import { Failure } from '../errors.ts';
import { createIds } from '../ids.ts';
import type { AccountRow } from '../storage/accounts.ts';
import { writeAudit } from '../storage/audit.ts';
import type { Database } from '../storage/database.ts';
import { issueToken } from '../storage/tokens.ts';
import { findUser, type UserRow } from '../storage/users.ts';
import { systemClock } from '../time.ts';
import { accountOf } from './account-of.ts';
import { oneOf, readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';

/** Prints the token; it stands nowhere else. */
export async function runTokenCreate(args: readonly string[], context: CommandContext): Promise<number> {
  const { options } = readArguments('token create', args);
  const role = oneOf('The role', options.role, ROLES);
  const { name } = options;
  const ids = createIds(systemClock);
  const database = await openDatabase(readConfig(context.environment));
  try {
    const nowMs = systemClock.now();
    const account = await accountOf(database, options.account, ids.next(), nowMs);
    const user = await userOf(database, account, options.user, ids.next(), nowMs);
    if (lowerRole(role, user.role) !== role) {
      throw new Failure(
        'REQUEST_INVALID',
        `A token carries at most the role of its user, and ${user.email} has the role ${user.role}. Name another user with --user.`,
      );
    }
    const token = newToken();
    const id = ids.next();
    const accountId = account.id;
    await database.transaction(async (tx) => {
      const given = { id, accountId, userId: user.id, name, role, hash: hashToken(token) };
      await issueToken(tx, { ...given, nowMs, expiresAtMs: null });
      await writeAudit(tx, {
        id: ids.next(),
        accountId,
        tokenId: null,
        action: 'tokens.create',
        subject: `tokens/${id}`,
        after: { id, userId: user.id, name, role },
        nowMs,
      });
    });
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ id, account: account.name, user: user.email, role, token }, null, 2)}\n`
        : `A token with the role ${role} of ${user.email} in the account "${account.name}", shown this once:\n${token}\n`,
    );
    return 0;
  } finally {
    await database.close();
  }
}

async function userOf(
  database: Database,
  account: AccountRow,
  email: string,
  newId: string,
  nowMs: number,
): Promise<UserRow> {
  const user =
    email === FIRST_EMAIL
      ? await firstUser(database, account.id, newId, nowMs)
      : await findUser(database, account.id, email);
  if (user === undefined) {
    throw new Failure(
      'NOT_FOUND',
      `There is no user "${email}" in the account "${account.name}". Name another one with --user, or leave it out for ${FIRST_EMAIL}.`,
    );
  }
  if (user.status !== 'active') {
    throw new Failure(
      'WRONG_STATE',
      `The user ${user.email} is disabled, so that a token would open nothing. Name another one with --user.`,
    );
  }
  return user;
}
