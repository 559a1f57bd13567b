/**
 * Statements of the query builder, run over our own `Sql.query`, so that no driver's parsers change and every statement
 * is prepared. A `statement` is written once, on its first call; only its values differ from call to call. One whose
 * shape follows what is asked is written for each call and run by `rowsOf`.
 */
import type { Placeholder as Bound, InferSelectModel, SQLWrapper, Table, SQL as Text } from 'drizzle-orm';
import type { PgSelectBuilder, SelectedFields } from 'drizzle-orm/pg-core';
import type { PgRemoteDatabase } from 'drizzle-orm/pg-proxy';
import { own } from '../json.ts';
import type { Sql, SqlValue } from './database.ts';
import { Column, drizzle, is, PgDialect, Placeholder, SQL, sql } from './drizzle.ts';

export interface Builder extends Pick<PgRemoteDatabase, 'insert' | 'update' | 'delete'> {
  /** Columns and expressions, each under the name of its member; without any, the columns of the one table. */
  readonly select: {
    (): PgSelectBuilder<undefined>;
    <Fields extends SelectedFields>(selected: Fields): PgSelectBuilder<Fields>;
  };
}

/** The values of a statement as they stand in its text. One named `limit` is what the builder's `limit` takes. */
export type Given<Values> = {
  readonly [Name in keyof Values]: Name extends 'limit' ? Bound<Name, number> : Text<Values[Name]>;
};

type ValuesOf<Stand> = {
  readonly [Name in keyof Stand]: Stand[Name] extends Text<infer Value> ? Value : number;
};

/** What the builder makes: its text, and the type of its rows. */
export interface Query<Result> extends PromiseLike<Result[]>, SQLWrapper {}

/** A row of a table. */
export type Row<T extends Table> = Readonly<InferSelectModel<T>>;

interface Compiled {
  readonly text: string;
  readonly reads: readonly ((values: object) => SqlValue)[];
}

let made: Builder | undefined;

/** Returns the builder. What it makes is never run by itself: that throws an Error. */
export function builder(): Builder {
  made ??= makeBuilder();
  return made;
}

function makeBuilder(): Builder {
  const db = drizzle(() => Promise.reject(new Error('Statements are run by statement() and rowsOf().')));
  function select(): PgSelectBuilder<undefined>;
  function select<Fields extends SelectedFields>(selected: Fields): PgSelectBuilder<Fields>;
  function select(selected?: SelectedFields) {
    return selected === undefined ? db.select() : db.select(fields(selected));
  }
  return { select, insert: db.insert.bind(db), update: db.update.bind(db), delete: db.delete.bind(db) };
}

/**
 * Returns a function that runs one statement, which is written on the first call. What is not among its values is a
 * constant of the program and becomes a literal, so that it is planned with.
 */
export function statement<Stand, Result>(
  write: (db: Builder, given: Stand) => Query<Result>,
): (to: Sql, values: ValuesOf<Stand>) => Promise<Result[]> {
  let compiled: Compiled | undefined;
  return (to, values) => {
    compiled ??= compile(write(builder(), placeholders<Stand>()).getSQL().inlineParams());
    const bound = compiled.reads.map((read) => read(values));
    return to.query<Result>(compiled.text, bound);
  };
}

/** Runs a statement whose shape follows what is asked; `authored` as in `Sql.query`. */
export function rowsOf<Result>(to: Sql, query: Query<Result>, authored?: 'authored'): Promise<Result[]> {
  const { text, reads } = compile(query.getSQL());
  const bound = reads.map((read) => read({}));
  return to.query<Result>(text, bound, authored);
}

/** Columns and expressions of a row, each under the name of its member. */
export function fields<Fields extends SelectedFields>(selected: Fields): Fields;
export function fields(selected: SelectedFields): SelectedFields {
  const named: SelectedFields = {};
  for (const [name, field] of Object.entries(selected)) {
    const isAsNamed = is(field, SQL.Aliased) || (is(field, Column) && field.name === name);
    named[name] = isAsNamed ? field : sql`${field}`.as(name);
  }
  return named;
}

function placeholders<Stand>(): Stand {
  const get = (_: object, name: string) =>
    name === 'limit' ? sql.placeholder(name) : sql`${sql.placeholder(name)}`;
  return new Proxy({}, { get }) as Stand;
}

function compile(written: Text): Compiled {
  const { sql: text, params } = new PgDialect().sqlToQuery(written);
  return { text, reads: params.map(readOf) };
}

function readOf(param: unknown): (values: object) => SqlValue {
  if (!is(param, Placeholder)) return () => param as SqlValue;
  return (values) => own(values, param.name) as SqlValue;
}
