/** The header rows of imports: which column is what. */
import { Failure } from '../../../errors.ts';
import { setOwn } from '../../../json.ts';
import { nearName } from '../../../near.ts';
import { COLUMN_TYPES, COLUMN_WORDS, type ColumnType, fittingValue } from './cells.ts';
import type { ReadHeader } from './read-rows.ts';

const PREFIX = 'fields.';

/** `externalId`, and a field for every other column; `age:number` declares a type. */
export const profileHeader: ReadHeader = (header) => readColumns(header, ['externalId'], [], true);

/** `profile`, `resource`, `channel`, `status` if wanted, and a field for every other column. */
export const subscriptionHeader: ReadHeader = (header) =>
  readColumns(header, ['profile', 'resource', 'channel'], ['status'], false);

const SUPPRESSION_COLUMNS = ['address', 'channel', 'resource', 'scope', 'reason', 'expiresAt'];

/** `address`, and what else a suppression has; no other column. */
export const suppressionHeader: ReadHeader = (header) => {
  const names = header.map((name) => name.trim());
  const unknown = names.find((name) => !SUPPRESSION_COLUMNS.includes(name));
  if (!names.includes('address')) throw wrong(missingColumn('address', header));
  if (unknown !== undefined) {
    const near = nearName(unknown, SUPPRESSION_COLUMNS);
    const hint = near === undefined ? `There are: ${SUPPRESSION_COLUMNS.join(', ')}.` : `Is it "${near}"?`;
    throw wrong(`A suppression has no column "${unknown}". ${hint}`);
  }
  const read = readColumns(header, ['address'], SUPPRESSION_COLUMNS, false);
  return (cells) => {
    const { fields: _fields, ...row } = read(cells) as Record<string, unknown>;
    return row;
  };
};

interface Column {
  readonly name: string;
  readonly isField: boolean;
  readonly type: ColumnType;
}

function readColumns(
  header: readonly string[],
  required: readonly string[],
  optional: readonly string[],
  typed: boolean,
): ReturnType<ReadHeader> {
  const fixed = new Set([...required, ...optional]);
  const columns = header.map((written) => readColumn(written.trim(), fixed, typed));
  const missing = required.find((name) => !columns.some((column) => !column.isField && column.name === name));
  if (missing !== undefined) throw wrong(missingColumn(missing, header));
  const seen = new Set<string>();
  for (const { name, isField } of columns) {
    const key = `${isField}/${name}`;
    if (name === '') throw wrong('A column has no name.');
    if (seen.has(key)) throw wrong(`The column "${name}" stands there twice.`);
    seen.add(key);
  }
  return (cells) => {
    const row: Record<string, unknown> = {};
    const fields: Record<string, unknown> = {};
    columns.forEach(({ name, isField, type }, index) => {
      const text = cells[index] ?? '';
      if (text === '') return;
      const value = fittingValue(text, type);
      if (value === undefined) {
        throw new Failure(
          'VALUES_INVALID',
          `Column "${name}" takes ${COLUMN_WORDS[type]}, but holds "${shortened(text)}".`,
        );
      }
      setOwn(isField ? fields : row, name, value);
    });
    return { ...row, fields };
  };
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}

function readColumn(written: string, fixed: ReadonlySet<string>, typed: boolean): Column {
  if (fixed.has(written)) return { name: written, isField: false, type: 'text' };
  const name = written.startsWith(PREFIX) ? written.slice(PREFIX.length) : written;
  const colon = typed ? name.lastIndexOf(':') : -1;
  const type = COLUMN_TYPES.find((each) => colon > 0 && each === name.slice(colon + 1));
  return type === undefined
    ? { name, isField: true, type: 'text' }
    : { name: name.slice(0, colon), isField: true, type };
}

function missingColumn(name: string, header: readonly string[]): string {
  const near = nearName(name, header);
  const first = header[0] ?? '';
  const hint =
    near !== undefined
      ? ` Is it "${near}"? Names of columns are written exactly so.`
      : header.length === 1 && /[;\t]/.test(first)
        ? ' Columns are separated by commas.'
        : '';
  return `The header row has no column "${name}".${hint}`;
}

function wrong(message: string): Failure {
  return new Failure('REQUEST_INVALID', message, { problems: [{ pointer: '', message }] });
}
