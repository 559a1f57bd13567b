/**
 * Writing the content library. Each change of an item is one statement that moves the item, records its version and
 * writes its history, and does nothing at all where the item is no longer as the change saw it.
 */
import { type ContentTerms, termsOf } from './content-terms.ts';
import type { Sql, SqlValue } from './database.ts';

/** A version as it is recorded; `content`, `blocks` and `personalization` are JSON texts. */
export interface NewVersion {
  readonly version: number;
  /** Left out: the name of the item. */
  readonly name?: string;
  readonly content: string;
  readonly blocks: string | null;
  readonly personalization: string | null;
  readonly note: string | null;
}

/** One line of the history. */
export interface Transition {
  readonly historyId: string;
  readonly call: string;
  readonly to: string;
  /** Null: the content source. */
  readonly userId: string | null;
  readonly note: string | null;
  readonly nowMs: number;
}

/** Columns of an item; JSON as its text. */
export type ItemValues = Readonly<Record<string, SqlValue | { readonly json: string }>>;

export interface ItemChange {
  readonly transition: Transition;
  readonly values: ItemValues;
  /** What is recorded as a version, where something is. */
  readonly version?: NewVersion;
  /** What the item is found by from now on, where that changes besides its status. */
  readonly terms?: ContentTerms;
}

/** Values of one statement, and the places where they stand in it. */
function createPlaces() {
  const list: SqlValue[] = [];
  const place = (value: SqlValue, cast = '') => `$${list.push(value)}${cast}`;
  return {
    list,
    place,
    column: (value: ItemValues[string]) =>
      typeof value === 'object' && value !== null && 'json' in value
        ? place(value.json, '::text::json')
        : place(value),
  };
}
type Places = ReturnType<typeof createPlaces>;

/** Makes an item with its first version. False where its name, its id or its place in its source is taken. */
export async function insertItem(
  sql: Sql,
  item: ItemValues & { readonly id: string; readonly account_id: string },
  change: ItemChange & { readonly version: NewVersion; readonly terms: ContentTerms },
): Promise<boolean> {
  const places = createPlaces();
  const { transition, terms } = change;
  const now = new Date(transition.nowMs);
  const columns = Object.entries({
    ...item,
    ...change.values,
    status: transition.to,
    revision: 1,
    created_at: now,
    updated_at: now,
  }).map(([name, value]) => ({ name, place: places.column(value) }));
  const search = places.place([...termsOf(terms), `=s${transition.to}`], '::text[]');
  const rows = await sql.query(
    `with moved as (
       insert into content_item (${columns.map(({ name }) => name).join(', ')}, search)
       values (${columns.map(({ place }) => place).join(', ')}, array_to_tsvector(${search}))
       on conflict do nothing returning *),
     ${recorded(places, change, null)}
     select id from moved`,
    places.list,
  );
  return rows.length > 0;
}

/** Moves an item on from what was seen of it. False where it is not like that any more. */
export async function advanceItem(
  sql: Sql,
  seen: {
    readonly id: string;
    readonly account_id: string;
    readonly revision: number;
    readonly status: string;
  },
  change: ItemChange,
): Promise<boolean> {
  const places = createPlaces();
  const { transition, values, terms } = change;
  const key = [seen.account_id, seen.id, seen.revision, seen.status].map((value) => places.place(value));
  const sets = Object.entries(values).map(([name, value]) => `${name} = ${places.column(value)}`);
  const status = places.place(transition.to, '::text');
  const search =
    terms === undefined
      ? `ts_delete(search, '=s' || status) || array_to_tsvector(array['=s' || ${status}])`
      : `array_to_tsvector(${places.place([...termsOf(terms), `=s${transition.to}`], '::text[]')})`;
  const rows = await sql.query(
    `with moved as (
       update content_item set ${['revision = revision + 1', ...sets].join(', ')}, status = ${status},
         search = ${search}, updated_at = ${places.place(new Date(transition.nowMs))}
       where account_id = ${key[0]} and id = ${key[1]} and revision = ${key[2]} and status = ${key[3]}
       returning *),
     ${recorded(places, change, seen.status)}
     select id from moved`,
    places.list,
  );
  return rows.length > 0;
}

/** What is written beside an item that moved: its version, where there is a new one, and its history. */
function recorded(places: Places, { transition, version }: ItemChange, from: string | null): string {
  const { place } = places;
  const at = place(new Date(transition.nowMs), '::timestamptz');
  const by = place(transition.userId, '::uuid');
  const versioned =
    version === undefined
      ? ''
      : `versioned as (
       insert into content_version
         (item_id, version, account_id, name, content, blocks, personalization, changed_by, change_note, created_at)
       select id, ${place(version.version, '::int')}, account_id,
         coalesce(${place(version.name ?? null, '::text')}, name), ${place(version.content, '::text::json')},
         ${place(version.blocks, '::text::json')}, ${place(version.personalization, '::text::json')},
         ${by}, ${place(version.note, '::text')}, ${at} from moved),`;
  return `${versioned}
     logged as (
       insert into content_history
         (id, item_id, account_id, call, from_status, to_status, version, by_user, note, at)
       select ${place(transition.historyId, '::uuid')}, id, account_id, ${place(transition.call, '::text')},
         ${place(from, '::text')}, status, version, ${by}, ${place(transition.note, '::text')}, ${at} from moved)`;
}
