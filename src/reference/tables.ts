/** Writes src/storage/schema.ts: the tables that the migrations make, for the query builder and for the types of rows. */
import { type CatalogColumn, readCatalog } from '../storage/catalog.ts';
import { openEmbedded } from '../storage/embedded.ts';
import { migrate } from '../storage/migrate.ts';

const LINE_WIDTH = 118;
const HEADER = `/**
 * The tables, generated from the migrations by \`npm run reference\`: not edited by hand. A JSON column has the type that
 * json-columns.ts declares for it.
 */
`;

/** Types of PostgreSQL as columns of drizzle, in the shape in which our drivers give their values. */
const COLUMN_OF_TYPE: Readonly<Record<string, string>> = {
  bigint: "bigint({ mode: 'number' })",
  boolean: 'boolean()',
  bytea: 'bytea()',
  'double precision': 'doublePrecision()',
  integer: 'integer()',
  numeric: "numeric({ mode: 'number' })",
  smallint: 'smallint()',
  text: 'text()',
  'timestamp with time zone': 'timestamptz()',
  tsvector: 'tsvector()',
  uuid: 'uuid()',
};
const OWN_TYPES: ReadonlySet<string> = new Set(['bytea', 'json', 'jsonb', 'timestamptz', 'tsvector']);

/** Runs the migrations on an embedded database in memory and returns the text of schema.ts. Takes a few seconds. */
export async function readTables(): Promise<string> {
  const database = await openEmbedded();
  try {
    await migrate(database);
    return tablesFile(await readCatalog(database));
  } finally {
    await database.close();
  }
}

/** Returns the text of schema.ts for the columns of all tables. Throws an Error if a column has a type that we do not know. */
export function tablesFile(columns: readonly CatalogColumn[]): string {
  const tables = Map.groupBy(columns, (column) => column.table);
  const body = [...tables].map(([name, of]) => tableText(name, of)).join('');
  return `${HEADER}${imports(body)}\n${body}`;
}

/** The imports that a text needs: each name stands in it as a call. */
function imports(body: string): string {
  const called = new Set(
    [...body.matchAll(/\b([A-Za-z]+)(?:<[^>]*>)?[(`]/g)].map(([, name]) => name as string),
  );
  const known = Object.values(COLUMN_OF_TYPE).map((text) => text.slice(0, text.indexOf('(')));
  const names = ['pgTable', 'sql', 'json', 'jsonb', ...known].filter((name) => called.has(name)).sort();
  const own = names.filter((name) => OWN_TYPES.has(name));
  const drizzle = names.filter((name) => !OWN_TYPES.has(name));
  return [
    `import { ${own.join(', ')} } from './column-types.ts';`,
    `import { ${drizzle.join(', ')} } from './drizzle.ts';`,
    "import type { JsonColumns } from './json-columns.ts';",
    '',
  ].join('\n');
}

function tableText(name: string, columns: readonly CatalogColumn[]): string {
  const lines: string[] = [];
  let line = ' ';
  for (const column of columns) {
    const part = ` ${column.name}: ${columnText(column)},`;
    if (line !== ' ' && line.length + part.length > LINE_WIDTH) {
      lines.push(line);
      line = ' ';
    }
    line += part;
  }
  return `export const ${camelCase(name)} = pgTable('${name}', {\n${[...lines, line].join('\n')}\n});\n`;
}

function columnText(column: CatalogColumn): string {
  const required = column.required ? '.notNull()' : '';
  if (column.numbered) return `${baseOf(column)}${required}.generatedAlwaysAsIdentity()`;
  return `${baseOf(column)}${required}${column.fallback === null ? '' : `.default(${defaultText(column.fallback)})`}`;
}

function baseOf({ table, name, type, checks }: CatalogColumn): string {
  if (type === 'json' || type === 'jsonb') return `${type}<JsonColumns['${table}.${name}']>()`;
  const element = type.endsWith('[]') ? type.slice(0, -2) : type;
  const text = COLUMN_OF_TYPE[element];
  if (text === undefined) {
    throw new Error(
      `${table}.${name} has type ${type}, which src/reference/tables.ts does not know; add it there.`,
    );
  }
  if (element !== type) return `${text}.array()`;
  const values = type === 'text' ? enumOf(checks ?? []) : undefined;
  return values === undefined ? text : `text({ enum: [${values.map(quoted).join(', ')}] })`;
}

/** The values that `check (column in ('a', 'b'))` allows; undefined if no check says so. */
function enumOf(checks: readonly string[]): string[] | undefined {
  for (const check of checks) {
    const list = /^CHECK \(\([\w"]+ = ANY \(ARRAY\[(.*)\]\)\)\)$/.exec(check)?.[1];
    if (list !== undefined)
      return [...list.matchAll(/'((?:[^']|'')*)'::text/g)].map(([, value = '']) => value);
  }
  return undefined;
}

/** A literal as a value, anything else as SQL. */
function defaultText(expression: string): string {
  const literal = /^'([^'\\]*)'::text$/.exec(expression)?.[1];
  if (literal !== undefined) return quoted(literal);
  return /^(true|false|-?\d+)$/.test(expression) ? expression : `sql\`${expression}\``;
}

function quoted(value: string): string {
  return `'${value}'`;
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
