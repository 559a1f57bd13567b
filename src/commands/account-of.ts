/** The account that a command on the database works for. */
import { Failure } from '../errors.ts';
import { didYouMean, listed, nearName } from '../near.ts';
import {
  type AccountRow,
  findAccount,
  firstAccount,
  insertAccount,
  listAccounts,
} from '../storage/accounts.ts';
import type { Database } from '../storage/database.ts';

/** The name of the first account where there is none yet, as at the first start. */
const FIRST_ACCOUNT = 'main';

/** The account by name; without one the first, made under `newId` where there is none yet. Throws NOT_FOUND. */
export async function accountOf(
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
