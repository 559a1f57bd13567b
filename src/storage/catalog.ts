/** The tables of a database as its own catalog describes them. `schema.ts` is generated from this. */
import type { Sql } from './database.ts';

export interface CatalogColumn {
  readonly table: string;
  readonly name: string;
  /** As PostgreSQL writes it: `timestamp with time zone`, `integer[]`. */
  readonly type: string;
  readonly required: boolean;
  /** The expression of its default, as SQL. */
  readonly fallback: string | null;
  /** Numbered by the database alone. */
  readonly numbered: boolean;
  /** The conditions that are about this column only, as SQL. */
  readonly checks: readonly string[] | null;
}

/** Returns the columns of all tables in their order, partitioned tables once. */
export function readCatalog(sql: Sql): Promise<CatalogColumn[]> {
  return sql.query<CatalogColumn>(
    `select c.relname as "table", a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
       a.attnotnull as required, pg_get_expr(d.adbin, d.adrelid) as fallback, a.attidentity = 'a' as numbered,
       (select json_agg(pg_get_constraintdef(k.oid) order by k.conname) from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]) as checks
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
     order by c.relname collate "C", a.attnum`,
  );
}
