/** `sluiceway user create`: a user made in the database itself, for an account in which nobody can sign in yet. */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { createPasswords } from '../access/passwords.ts';
import { ROLES } from '../access/permissions.ts';
import { createUsers } from '../access/users.ts';
import { openDatabase } from '../app.ts';
import { readConfig } from '../config.ts';
import { checkRequest, rejectUnstorable } from '../http/check-request.ts';
import { newUserSchema } from '../http/routes/users.ts';
import { createIds } from '../ids.ts';
import { systemClock } from '../time.ts';
import { compileSchema } from '../validate.ts';
import { accountOf } from './account-of.ts';
import { oneOf, readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';

const PASSWORD_BYTES = 18;

/** Prints the password where it was made here; it stands nowhere else. */
export async function runUserCreate(args: readonly string[], context: CommandContext): Promise<number> {
  const { options } = readArguments('user create', args);
  const { email, name = email, json } = options;
  const role = oneOf('The role', options.role, ROLES);
  const made = options['password-stdin'] ? undefined : randomBytes(PASSWORD_BYTES).toString('base64url');
  const password = made ?? (await lineFrom(context));
  const request = { email, name, role, password };
  checkRequest(compileSchema(newUserSchema), request);
  rejectUnstorable(request);
  const ids = createIds(systemClock);
  const database = await openDatabase(readConfig(context.environment));
  try {
    const account = await accountOf(database, options.account, ids.next(), systemClock.now());
    // No process remembers anything of a user who was not there before.
    const users = createUsers(database, systemClock, createPasswords(), () => {});
    const user = await users.create({ caller: { accountId: account.id, tokenId: null }, ids }, request);
    const answer = { id: user.id, account: account.name, email, name, role };
    const sentence = `The user ${email} with the role ${role} was made in the account "${account.name}".\n`;
    const shown = made === undefined ? '' : `The password, shown this once:\n${made}\n`;
    context.stdout.write(
      json
        ? `${JSON.stringify({ ...answer, ...(made !== undefined && { password: made }) }, null, 2)}\n`
        : `${sentence}${shown}`,
    );
    return 0;
  } finally {
    await database.close();
  }
}

/** A text without the line end that programs put after it. */
async function lineFrom({ stdin }: CommandContext): Promise<string> {
  return (await text(stdin())).replace(/\r?\n$/, '');
}
