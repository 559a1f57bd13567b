/** What still refers to a sender or a resource, so that history keeps its names. */
import type { Sql } from './database.ts';

const REFERRING = {
  sender: ['mailing', 'launch', 'message'],
  resource: ['subscription', 'mailing', 'launch', 'message'],
} as const;
const WORDS = {
  subscription: 'subscriptions',
  mailing: 'mailings',
  launch: 'launches',
  message: 'messages',
} as const;

/** Whose rows refer to it, in words: `mailings`, `messages`. */
export async function referencesTo(
  sql: Sql,
  table: keyof typeof REFERRING,
  accountId: string,
  id: string,
): Promise<string[]> {
  const found: string[] = [];
  for (const referring of REFERRING[table]) {
    const rows = await sql.query(
      `select 1 from ${referring} where account_id = $1 and ${table}_id = $2 limit 1`,
      [accountId, id],
    );
    if (rows.length > 0) found.push(WORDS[referring]);
  }
  return found;
}
