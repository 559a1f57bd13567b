/** What still refers to a sender or a resource, so that history keeps its names. */
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Sql } from './database.ts';
import { and, eq, sql } from './drizzle.ts';
import { launch, mailing, message, subscription } from './schema.ts';
import { builder, rowsOf } from './statement.ts';

interface Reference {
  /** What people call the rows. */
  readonly name: string;
  readonly from: PgTable;
  readonly accountId: PgColumn;
  readonly id: PgColumn;
}

/** The columns that refer to each of the two. */
const REFERENCES: Readonly<Record<'sender' | 'resource', readonly Reference[]>> = {
  sender: [
    { name: 'mailings', from: mailing, accountId: mailing.account_id, id: mailing.sender_id },
    { name: 'launches', from: launch, accountId: launch.account_id, id: launch.sender_id },
    { name: 'messages', from: message, accountId: message.account_id, id: message.sender_id },
  ],
  resource: [
    {
      name: 'subscriptions',
      from: subscription,
      accountId: subscription.account_id,
      id: subscription.resource_id,
    },
    { name: 'mailings', from: mailing, accountId: mailing.account_id, id: mailing.resource_id },
    { name: 'launches', from: launch, accountId: launch.account_id, id: launch.resource_id },
    { name: 'messages', from: message, accountId: message.account_id, id: message.resource_id },
  ],
};

/** Returns whose rows refer to a sender or resource, in words: `mailings`, `messages`. */
export async function referencesTo(
  to: Sql,
  table: 'sender' | 'resource',
  accountId: string,
  id: string,
): Promise<string[]> {
  const found: string[] = [];
  for (const reference of REFERENCES[table]) {
    const query = builder()
      .select({ found: sql`1` })
      .from(reference.from)
      .where(and(eq(reference.accountId, accountId), eq(reference.id, id)))
      .limit(1);
    if ((await rowsOf(to, query)).length > 0) found.push(reference.name);
  }
  return found;
}
