/** Reads the forms of a document: rows of elements, each checked for itself. */
import { isObject, own, pointerTo } from '../json.ts';
import { FIELD_TYPES, type Field, type FieldElement, type FieldRow } from './document.ts';
import type { Report } from './report.ts';
import { shapeOf } from './shapes.ts';
import type { SourceText } from './source-text.ts';

/** A field and where it stands. */
export interface FieldUse {
  readonly field: Field;
  readonly pointer: string;
}

export interface ReadRows {
  readonly rows: readonly FieldRow[];
  readonly fields: readonly FieldUse[];
  /** False where an element was left out because it is wrong. */
  readonly whole: boolean;
}

/** The rows of a form that are sound; what is wrong with the others is reported. */
export function readRows(value: unknown, pointer: string, source: SourceText, report: Report): ReadRows {
  const rows: FieldRow[] = [];
  const fields: FieldUse[] = [];
  let whole = true;
  const element = (written: unknown, at: string): FieldElement | undefined => {
    const misfits = shapeOf(shapeFor(written))(written);
    for (const { code, pointer: inner, of, message, suggestion } of misfits) {
      report.add(code, { source, pointer: at + inner, of }, message, suggestion);
    }
    if (misfits.length > 0) {
      whole = false;
      return undefined;
    }
    const sound = withLabel(written) as FieldElement;
    if ('field' in sound) fields.push({ field: sound, pointer: at });
    return sound;
  };
  (Array.isArray(value) ? value : []).forEach((row: unknown, index) => {
    const at = pointerTo(pointer, index);
    if (!Array.isArray(row)) {
      const only = element(row, at);
      if (only !== undefined) rows.push(only);
      return;
    }
    if (row.length < 1 || row.length > 4) {
      report.add(
        'wrong-format',
        { source, pointer: at },
        `A row has 1 to 4 columns, but this one has ${row.length}.`,
      );
      whole = false;
    }
    const columns = row.map((each: unknown, column) => element(each, pointerTo(at, column)));
    const wide = columns.findIndex((each) => each?.type === 'entity');
    if (wide >= 0 && row.length > 1) {
      const place = { source, pointer: pointerTo(at, wide) };
      report.add('wrong-format', place, 'An entity field takes a whole row; give it a row of its own.');
    }
    rows.push(columns.filter((each) => each !== undefined));
  });
  return { rows, fields, whole };
}

function shapeFor(written: unknown): 'dataField' | 'entityField' | 'layout' {
  const type = own(written, 'type');
  if (type === 'entity') return 'entityField';
  const isField = FIELD_TYPES.some((each) => each === type) || own(written, 'field') !== undefined;
  return isField || own(written, 'name') !== undefined ? 'dataField' : 'layout';
}

/** An entity field without a label shows the sid of its entity. */
function withLabel(written: unknown): unknown {
  return isObject(written) && written.type === 'entity' && !Object.hasOwn(written, 'name')
    ? { ...written, name: written.entity }
    : written;
}
