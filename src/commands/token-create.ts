/** `sluiceway token create`: a token made in the database itself, for whoever has no admin token yet. */
import { hashToken, newToken } from '../access/tokens.ts';
import { openDatabase } from '../app.ts';
import type { CommandContext } from '../cli.ts';
import { readConfig } from '../config.ts';
import { Failure } from '../errors.ts';
import { createIds } from '../ids.ts';
import { didYouMean, listed, nearName } from '../near.ts';
import {
  type AccountRow,
  findAccount,
  firstAccount,
  insertAccount,
  issueToken,
  listAccounts,
  type Role,
} from '../storage/accounts.ts';
import { writeAudit } from '../storage/audit.ts';
import type { Database } from '../storage/database.ts';
import { systemClock } from '../time.ts';
import { oneOf, readArguments } from './arguments.ts';

const ROLES: readonly Role[] = ['viewer', 'editor', 'admin'];
/** The name of the first account where there is none yet, as at the first start. */
const FIRST_ACCOUNT = 'main';

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
    const token = newToken();
    const id = ids.next();
    const accountId = account.id;
    await database.transaction(async (tx) => {
      await issueToken(tx, { id, accountId, name, role, hash: hashToken(token), nowMs, expiresAtMs: null });
      await writeAudit(tx, {
        id: ids.next(),
        accountId,
        tokenId: null,
        action: 'tokens.create',
        subject: `tokens/${id}`,
        after: { id, name, role },
        nowMs,
      });
    });
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ id, account: account.name, role, token }, null, 2)}\n`
        : `A token with the role ${role} for the account "${account.name}", shown this once:\n${token}\n`,
    );
    return 0;
  } finally {
    await database.close();
  }
}

async function accountOf(
  database: Database,
  name: string | undefined,
  newId: string,
  nowMs: number,
): Promise<AccountRow> {
  if (name === undefined) {
    const account =
      (await firstAccount(database)) ??
      (await insertAccount(database, { id: newId, name: FIRST_ACCOUNT, nowMs })) ??
      (await firstAccount(database));
    if (account === undefined) throw new Failure('BUG', 'The first account could not be made.');
    return account;
  }
  const account = await findAccount(database, name);
  if (account !== undefined) return account;
  const known = (await listAccounts(database)).map((each) => each.name);
  throw new Failure(
    'NOT_FOUND',
    `There is no account "${name}"; there are: ${listed(known)}.${didYouMean(nearName(name, known))}`,
  );
}
