/** A PostgreSQL server through postgres.js. */
import postgres from 'postgres';
import { Failure } from '../errors.ts';
import { type Database, PLANNING, type Sql, type SqlValue } from './database.ts';
import { createReconnect } from './reconnect.ts';

const WAKE_CHANNEL = 'sluiceway_wake';
const INT8 = 20;
/** Of statements whose texts follow what people wrote. */
const MOST_AUTHORED = 200;

export interface ServerOptions {
  readonly url: string;
  /** Connections kept at most. */
  readonly connections: number;
}

/** Connects to a server; throws DATABASE_UNREACHABLE, or SETTINGS_INVALID for an address that is none. */
export async function openServer(options: ServerOptions): Promise<Database> {
  const client = clientOf(options.url, {
    max: options.connections,
    onnotice: () => {},
    backoff: createReconnect(() => performance.now(), Math.random),
    // Reading bigints as numbers: our own are counters and sizes far below 2^53.
    types: { bigint: { to: INT8, from: [INT8], serialize: String, parse: Number } },
    connection: { application_name: 'sluiceway', ...PLANNING },
  });
  const authoredTexts = new Set<string>();
  const isPrepared = (text: string, authored: 'authored' | undefined) => {
    if (authored === undefined || authoredTexts.has(text)) return true;
    if (authoredTexts.size >= MOST_AUTHORED) return false;
    authoredTexts.add(text);
    return true;
  };
  const on = (handle: postgres.Sql | postgres.TransactionSql): Sql => ({
    query: async <Row>(text: string, values: readonly SqlValue[] = [], authored?: 'authored') => {
      const prepare = isPrepared(text, authored);
      return (await handle.unsafe(text, values as never, { prepare })) as unknown as Row[];
    },
  });
  const outer = on(client);
  try {
    await outer.query('select 1');
    // The types of arrays are known now. Asking for them again with every new connection would be a question that nobody
    // waits for: where the connection breaks in the middle of it, the library's rejection ends the process.
    client.options.fetch_types = false;
  } catch (thrown) {
    await client.end({ timeout: 1 });
    const reason = thrown instanceof Error && thrown.message !== '' ? thrown.message : String(thrown);
    throw new Failure(
      'DATABASE_UNREACHABLE',
      `The database of DATABASE_URL could not be reached: ${reason}. Check that the server runs and the address is right.`,
      { cause: thrown },
    );
  }
  return Object.freeze<Database>({
    kind: 'server',
    query: outer.query,
    transaction: async <T>(run: (tx: Sql) => Promise<T>) =>
      (await client.begin((handle) => run(on(handle)))) as T,
    script: async (text) => {
      await client.unsafe(text).simple();
    },
    wake: async (topic) => {
      await outer.query('select pg_notify($1, $2)', [WAKE_CHANNEL, topic]);
    },
    onWake: async (listener) => {
      const { unlisten } = await client.listen(WAKE_CHANNEL, listener);
      return () => {
        unlisten().catch(() => {});
      };
    },
    close: () => client.end({ timeout: 5 }),
  });
}

function clientOf(url: string, options: postgres.Options<{ bigint: postgres.PostgresType<number> }>) {
  try {
    return postgres(url, options);
  } catch {
    // What the library says of it may hold the password.
    throw new Failure(
      'SETTINGS_INVALID',
      'DATABASE_URL cannot be read. It must look like postgres://user:password@host:5432/database, with %40 for an @, %3A for a : and %2F for a / in the password.',
    );
  }
}
