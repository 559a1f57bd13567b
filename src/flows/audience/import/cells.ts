/** Texts of CSV cells as the values they stand for. An empty cell says nothing: the field is left out. */
import { type Field, type FieldRow, type FieldType, fieldsOf } from '../../../channel/document.ts';
import { own, setOwn } from '../../../json.ts';

/** What a column may be declared to hold, as in `age:number`; text where nothing is declared. */
export const COLUMN_TYPES = ['text', 'number', 'bool', 'json'] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];

/** Spellings of yes and no that spreadsheets and databases write, in lower case. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', '1'].map((text) => [text, true] as const),
  ...['false', 'no', '0'].map((text) => [text, false] as const),
]);

/** Returns the value of a cell; undefined if it does not fit the type. */
export function fittingValue(text: string, type: ColumnType): unknown {
  if (type === 'number') return isNumber(text) ? Number(text) : undefined;
  if (type === 'bool') return BOOLEANS.get(text.trim().toLowerCase());
  if (type !== 'json') return text;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the value of a cell; the text itself if it does not fit its type, so that the check of the field names it. */
export function valueOfCell(text: string, type: ColumnType): unknown {
  return fittingValue(text, type) ?? text;
}

/** Says what a column takes, for people. */
export const COLUMN_WORDS: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  number: 'a number such as 12 or 3.5',
  bool: 'true or false, yes or no, 1 or 0',
  json: 'JSON',
};

function isNumber(text: string): boolean {
  return /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim());
}

const TYPES: { readonly [T in FieldType]?: ColumnType } = {
  int: 'number',
  number: 'number',
  bool: 'bool',
  json: 'json',
  file: 'json',
  entity: 'json',
};

/** Cells of a channel's fields in the types that the channel declares. */
export function valuesOfCells(
  rows: readonly FieldRow[] | undefined,
  cells: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const fields = new Map(fieldsOf(rows).map((field) => [field.field, field]));
  for (const name of Object.keys(cells)) {
    const text = own(cells, name);
    const field = fields.get(name);
    setOwn(values, name, typeof text === 'string' && field !== undefined ? typed(field, text) : text);
  }
  return values;
}

function typed(field: Field, text: string): unknown {
  if (field.multiple === true && field.type !== 'file') {
    const list = valueOfCell(text, 'json');
    return Array.isArray(list) ? list : [valueOfCell(text, TYPES[field.type] ?? 'text')];
  }
  if (field.type === 'enum')
    return field.options?.find((option) => String(option.value) === text)?.value ?? text;
  return valueOfCell(text, TYPES[field.type] ?? 'text');
}
