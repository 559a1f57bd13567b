/** The audit: who changed what, with before and after; secrets are masked before they come here. */
import type { Sql } from './database.ts';
import { and, count, desc, eq, getTableColumns, sql } from './drizzle.ts';
import { jsonText } from './expressions.ts';
import { isBefore, type PageRequest, type PageRows, pageValues, totalOf } from './page.ts';
import { audit, token } from './schema.ts';
import { type Given, type Row, statement } from './statement.ts';

export interface AuditEntry {
  readonly id: string;
  readonly accountId: string;
  readonly tokenId: string | null;
  /** Left out: the user of the token. */
  readonly userId?: string;
  readonly action: string;
  readonly subject: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly nowMs: number;
}

type Values = Omit<Row<typeof audit>, 'before' | 'after'> & {
  readonly before: string | null;
  readonly after: string | null;
};

const insert = statement((db, given: Given<Values>) =>
  db
    .insert(audit)
    .values({
      id: given.id,
      account_id: given.account_id,
      token_id: given.token_id,
      user_id: sql`coalesce(${given.user_id}, (select ${token.user_id} from ${token} where ${eq(token.id, given.token_id)}))`,
      action: given.action,
      subject: given.subject,
      before: jsonText(given.before),
      after: jsonText(given.after),
      at: given.at,
    })
    .onConflictDoNothing({ target: audit.id }),
);

/** Writes an entry, unless there is one with its id. */
export async function writeAudit(to: Sql, entry: AuditEntry): Promise<void> {
  await insert(to, {
    id: entry.id,
    account_id: entry.accountId,
    token_id: entry.tokenId,
    user_id: entry.userId ?? null,
    action: entry.action,
    subject: entry.subject,
    before: entry.before === undefined ? null : JSON.stringify(entry.before),
    after: entry.after === undefined ? null : JSON.stringify(entry.after),
    at: new Date(entry.nowMs),
  });
}

const find = statement((db, given: Given<{ id: string }>) =>
  db.select({ found: sql`1` }).from(audit).where(eq(audit.id, given.id)),
);

/** Whether an entry was written: the change that has this id was made. */
export async function hasAudit(to: Sql, id: string): Promise<boolean> {
  return (await find(to, { id })).length > 0;
}

export type AuditRow = Omit<Row<typeof audit>, 'account_id'>;

const selectPage = statement(
  (db, given: Given<{ accountId: string; before: string | null; limit: number }>) => {
    const { account_id, ...shown } = getTableColumns(audit);
    return db
      .select(shown)
      .from(audit)
      .where(and(eq(account_id, given.accountId), isBefore(audit.id, given.before)))
      .orderBy(desc(audit.id))
      .limit(given.limit);
  },
);

const countAll = statement((db, given: Given<{ accountId: string }>) =>
  db.select({ total: count() }).from(audit).where(eq(audit.account_id, given.accountId)),
);

/** Returns one page, newest first. */
export async function listAudit(to: Sql, accountId: string, page: PageRequest): Promise<PageRows<AuditRow>> {
  const rows = await selectPage(to, { accountId, ...pageValues(page) });
  return { rows, total: totalOf(await countAll(to, { accountId })) };
}
