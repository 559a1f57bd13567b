/** The audit: who changed what, with before and after; secrets are masked before they come here. */
import type { Sql } from './database.ts';

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

export async function writeAudit(sql: Sql, entry: AuditEntry): Promise<void> {
  await sql.query(
    `insert into audit (id, account_id, token_id, user_id, action, subject, before, after, at)
     values ($1, $2, $3, coalesce($9, (select user_id from token where id = $3)), $4, $5, $6::text::json, $7::text::json, $8)
     on conflict (id) do nothing`,
    [
      entry.id,
      entry.accountId,
      entry.tokenId,
      entry.action,
      entry.subject,
      entry.before === undefined ? null : JSON.stringify(entry.before),
      entry.after === undefined ? null : JSON.stringify(entry.after),
      new Date(entry.nowMs),
      entry.userId ?? null,
    ],
  );
}

/** Whether an entry was written: the change that has this id was made. */
export async function hasAudit(sql: Sql, id: string): Promise<boolean> {
  return (await sql.query('select from audit where id = $1', [id])).length > 0;
}

export interface AuditRow {
  readonly id: string;
  readonly token_id: string | null;
  readonly user_id: string | null;
  readonly action: string;
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly at: Date;
}

export async function listAudit(
  sql: Sql,
  accountId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: AuditRow[]; total: number }> {
  const rows = await sql.query<AuditRow>(
    `select id, token_id, user_id, action, subject, before, after, at from audit
     where account_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [accountId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    'select count(*)::int as total from audit where account_id = $1',
    [accountId],
  );
  return { rows, total: count?.total ?? 0 };
}
