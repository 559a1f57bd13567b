/** Brings a database to the schema of this program. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Failure } from '../errors.ts';
import type { Database, Sql } from './database.ts';

const FOLDER = fileURLToPath(new URL('./migrations/', import.meta.url));
/** Any fixed number: one migration at a time on one database, and nobody else makes tables in the meantime. */
const LOCK = 7_584_201;
const COMPATIBLE = '-- compatible\n';

/**
 * Applies what is missing, each migration in its own transaction, one process at a time. A migration is known by the
 * number of its file, so that one that comes late with a lower number is applied, too. Returns how many were applied.
 *
 * A migration whose first line is `-- compatible` leaves programs that do not know it working, so that a release can be
 * rolled out node by node, and back. Throws CONFLICT if a newer program has applied one that does not say so.
 */
export async function migrate(database: Database): Promise<number> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort();
  const latest = numberOf(files.at(-1) ?? '0');
  await alone(database, async (tx) => {
    await tx.query(
      'create table if not exists schema_version (version int primary key, applied_at timestamptz not null default now())',
    );
    await tx.query(
      'alter table schema_version add column if not exists breaking boolean not null default true',
    );
  });
  let applied = 0;
  for (const file of files) {
    const number = numberOf(file);
    const text = await readFile(new URL(file, `file://${FOLDER}`), 'utf8');
    applied += await alone(database, async (tx) => {
      const [recorded] = await tx.query<{ breaking: number | null; has: boolean | null }>(
        `select (max(version) filter (where breaking and version > $2))::int as breaking, bool_or(version = $1) as has
         from schema_version`,
        [number, latest],
      );
      const breaking = recorded?.breaking ?? null;
      if (breaking !== null) {
        throw new Failure(
          'CONFLICT',
          `The database has schema ${breaking}, but this program knows schemas up to ${latest}. Start a newer Sluiceway; this one would damage the database.`,
        );
      }
      if (recorded?.has === true) return 0;
      for (const statement of statementsOf(text)) await tx.query(statement);
      await tx.query('insert into schema_version (version, breaking) values ($1, $2)', [
        number,
        !text.startsWith(COMPATIBLE),
      ]);
      return 1;
    });
  }
  return applied;
}

/** Of processes that start together one makes tables at a time: "if not exists" alone does not keep them apart. */
function alone<T>(database: Database, run: (tx: Sql) => Promise<T>): Promise<T> {
  return database.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(${LOCK})`);
    return run(tx);
  });
}

/** `0007_limits.sql` is number 7. */
function numberOf(file: string): number {
  return Number.parseInt(file, 10);
}

/** Splits a script at semicolons that end a line outside `$$` bodies. */
function statementsOf(script: string): string[] {
  const statements: string[] = [];
  let current = '';
  let inBody = false;
  for (const line of script.split('\n')) {
    if (line.trimStart().startsWith('--') && !inBody) continue;
    current += `${line}\n`;
    if ((line.split('$$').length - 1) % 2 === 1) inBody = !inBody;
    if (!inBody && line.trimEnd().endsWith(';')) {
      statements.push(current);
      current = '';
    }
  }
  return current.trim() === '' ? statements : [...statements, current];
}

/** Makes the partitions of the month of `nowMs` and of the two after it. */
export async function makePartitions(database: Database, nowMs: number): Promise<void> {
  const now = new Date(nowMs);
  await alone(database, async (tx) => {
    for (let ahead = -1; ahead <= 2; ahead += 1) {
      const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
      await tx.query('select make_partitions($1::text::date)', [month.toISOString().slice(0, 10)]);
    }
  });
}
