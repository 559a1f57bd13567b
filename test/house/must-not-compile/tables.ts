/** Mistakes about tables. Each line that ends with `must fail` has one, and the compiler has to find it. */
import type { Sql } from '../../../src/storage/database.ts';
import { eq } from '../../../src/storage/drizzle.ts';
import { mailing, sender } from '../../../src/storage/schema.ts';
import { type Given, type Row, statement } from '../../../src/storage/statement.ts';

export const misspeltColumn = statement(
  (db, given: Given<{ id: string }>) =>
    db.select({ name: mailing.nmae }).from(mailing).where(eq(mailing.id, given.id)), // must fail
);
export const misspeltValue = statement(
  (db, given: Given<{ id: string }>) => db.delete(mailing).where(eq(mailing.id, given.ident)), // must fail
);
export const misspeltSet = statement(
  (db, given: Given<{ id: string; name: string }>) =>
    db.update(mailing).set({ nmae: given.name }).where(eq(mailing.id, given.id)), // must fail
);
export const unknownState = statement(
  (db, given: Given<{ id: string }>) =>
    db.update(mailing).set({ state: 'sleeping' }).where(eq(mailing.id, given.id)), // must fail
);
export const columnLeftOut = statement(
  (db, given: Given<{ key: string }>) =>
    db.insert(sender).values({ id: given.key, sid: given.key, name: given.key }), // must fail
);

const senderOfMailing = statement((db, given: Given<{ id: string }>) =>
  db
    .select({ sid: sender.sid })
    .from(mailing)
    .leftJoin(sender, eq(sender.id, mailing.sender_id))
    .where(eq(mailing.id, given.id)),
);

export async function useOfRows(
  sql: Sql,
  row: Pick<Row<typeof mailing>, 'state' | 'category'>,
): Promise<unknown[]> {
  const [found] = await senderOfMailing(sql, { id: 1 }); // must fail
  const rows = await senderOfMailing(sql, { id: 'one' });
  return [
    found?.sdi, // must fail
    rows.map((each) => each.sid.length), // must fail
    row.category.length, // must fail
    row.state === 'sleeping', // must fail
    row.name, // must fail
  ];
}
