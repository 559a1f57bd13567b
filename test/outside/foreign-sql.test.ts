import { afterEach, describe, expect, it } from 'vitest';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import {
  createForeignSql,
  type ForeignSql,
  type ForeignSqlOptions,
  type SqlConnector,
} from '../../src/outside/foreign-sql.ts';
import { isMissing, MYSQL, POSTGRES, startTunnel } from './databases.ts';
import { closeProviders, failureOf, freePort, startTcp } from './provider.ts';

const opened: ForeignSql[] = [];

function foreign(options: Partial<ForeignSqlOptions> = {}): ForeignSql {
  const made = createForeignSql({
    guard: createAddressGuard(['127.0.0.1', POSTGRES.host, MYSQL.host].map(allow)),
    ...options,
  });
  opened.push(made);
  return made;
}

/** A host by its name needs its port; an address does not. */
function allow(host: string): string {
  if (host === POSTGRES.host && !/^[\d.]+$/.test(host)) return `${host}:${POSTGRES.port}`;
  return host === MYSQL.host && !/^[\d.]+$/.test(host) ? `${host}:${MYSQL.port}` : host;
}

const ask = (text: string, values: readonly unknown[] = [], times: object = {}) => ({
  text,
  values,
  connectionTimeoutMs: 10_000,
  queryTimeoutMs: 10_000,
  ...times,
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await closeProviders();
});

/** Tells the sleeping statements of this run from those of others. */
const NAP = `${process.pid}-of-test`;

const SERVERS = [
  {
    name: 'PostgreSQL',
    connector: POSTGRES,
    missing: await isMissing(POSTGRES),
    whoAmI: 'select pg_backend_pid() as id',
    sleep: `select pg_sleep(60) /* nap-${NAP} */`,
    sleepers: `select 1 from pg_stat_activity where state = 'active' and query like '%nap-${NAP}%' and pid <> pg_backend_pid()`,
    rows: (count: number) => `select n as n from generate_series(1, ${count}) n`,
    change: "set application_name = 'changed'",
    changed: "select current_setting('application_name') = 'changed' as changed",
    syntaxCode: '42601',
  },
  {
    name: 'MySQL',
    connector: MYSQL,
    missing: await isMissing(MYSQL),
    whoAmI: 'select connection_id() as id',
    sleep: `select sleep(60) /* nap-${NAP} */`,
    sleepers: `select 1 from information_schema.processlist where info like '%nap-${NAP}%' and id <> connection_id()`,
    rows: (count: number) =>
      `with recursive s(n) as (select 1 union all select n + 1 from s where n < ${count}) select n from s`,
    change: 'set @changed = 1',
    changed: 'select @changed is not null as changed',
    syntaxCode: 'ER_PARSE_ERROR',
  },
];

describe.each(SERVERS)('a foreign database', ({ name, connector, missing, ...sql }) => {
  const need = (title: string, run: () => Promise<void>): void =>
    it.skipIf(missing)(`${title} (needs a ${name} server)`, run);

  need('binds values and never pastes them', async () => {
    const evil = `'; drop table x; -- " \\' ? $1 😀 \u2028`;
    expect(await foreign().query(connector, ask('select ? as a, ? as b', [evil, '?']))).toEqual([
      { a: evil, b: '?' },
    ]);
  });

  need('gives no rows for a statement without any', async () => {
    expect(await foreign().query(connector, ask('select 1 as a where 1 = ?', [2]))).toEqual([]);
  });

  need('takes a bound LIMIT', async () => {
    expect(await foreign().query(connector, ask(`${sql.rows(9)} order by n limit ?`, [2]))).toEqual([
      { n: 1 },
      { n: 2 },
    ]);
  });

  need('keeps a column that is called __proto__ a column', async () => {
    const quote = name === 'MySQL' ? '`' : '"';
    const [row] = await foreign().query(connector, ask(`select 1 as ${quote}__proto__${quote}, 2 as b`));
    expect(Object.entries(row ?? {})).toEqual([
      ['__proto__', 1],
      ['b', 2],
    ]);
  });

  need('runs one statement only', async () => {
    expect((await failureOf(foreign().query(connector, ask('select 1; select 2')))).code).toBe('SQL_FAILED');
  });

  need("shows the database's own words", async () => {
    const failure = await failureOf(foreign().query(connector, ask('selec 1')));
    expect(failure).toMatchObject({ code: 'SQL_FAILED', details: { extra: { sql_code: sql.syntaxCode } } });
    expect(failure.message).toContain(`The database at ${connector.host} refused: `);
    expect(failure.message).toMatch(/syntax/);
  });

  need('says how many values are missing before it asks', async () => {
    expect((await failureOf(foreign().query(connector, ask('select ?')))).code).toBe('PIPE_PARAMS');
    expect((await failureOf(foreign().query(connector, ask("select '?'", [1])))).code).toBe('PIPE_PARAMS');
    expect((await failureOf(foreign().query(connector, ask('select 1\0')))).code).toBe('PIPE_PARAMS');
  });

  need('never shows the password when it is refused', async () => {
    const stranger = { ...connector, user: 'no_such_user', password: 'hunter2-secret' };
    const failure = await failureOf(foreign().query(stranger, ask('select 1')));
    expect(failure.code).toBe('SQL_FAILED');
    expect(failure.message + JSON.stringify(failure.details)).not.toContain('hunter2');
  });

  need('cancels a statement that takes too long, and goes on with another connection', async () => {
    const own = foreign({ maxConnections: 1 });
    const [before] = await own.query(connector, ask(sql.whoAmI));
    const failure = await failureOf(own.query(connector, ask(sql.sleep, [], { queryTimeoutMs: 100 })));
    expect(failure).toMatchObject({ code: 'SQL_TIMEOUT', details: { kind: 'timeout', ambiguous: false } });
    expect(failure.message).toContain('it was cancelled');
    expect(await own.query(connector, ask(sql.sleepers))).toEqual([]);
    const [after] = await own.query(connector, ask(sql.whoAmI));
    expect(after?.id).not.toBe(before?.id);
  });

  need('stops at the limit of rows', async () => {
    const own = foreign({ maxRows: 100 });
    expect(await own.query(connector, ask(sql.rows(100)))).toHaveLength(100);
    const failure = await failureOf(own.query(connector, ask(sql.rows(101))));
    expect(failure).toMatchObject({ code: 'SQL_FAILED', details: { kind: 'response_size' } });
    expect(failure.message).toContain('more than 100 rows');
    expect(await own.query(connector, ask('select 1 as a'))).toEqual([{ a: 1 }]);
  });

  need('stops at the limit of bytes, over many rows and in one value', async () => {
    const own = foreign({ maxBytes: 100_000 });
    for (const text of [
      `select repeat('x', 1000) as a from (${sql.rows(900)}) t`,
      "select repeat('x', 5000000) as a",
    ]) {
      const failure = await failureOf(own.query(connector, ask(text)));
      expect(failure.message).toContain('more than 100000 bytes');
    }
    expect(await own.query(connector, ask("select repeat('x', 3) as a"))).toEqual([{ a: 'xxx' }]);
  });

  need('uses a connection again, but never one whose session was changed', async () => {
    const own = foreign();
    const [first] = await own.query(connector, ask(sql.whoAmI));
    expect(await own.query(connector, ask(sql.whoAmI))).toEqual([first]);
    await own.query(connector, ask(sql.change));
    const [row] = await own.query(connector, ask(sql.changed));
    expect(Boolean(row?.changed)).toBe(false);
  });

  need('waits for a free connection, and says when none got free', async () => {
    const tunnel = await startTunnel(connector);
    const own = foreign({ maxConnections: 2 });
    const ids = await Promise.all(
      Array.from({ length: 9 }, () => own.query(tunnel.connector, ask(sql.whoAmI))),
    );
    expect(new Set(ids.map(([row]) => row?.id)).size).toBeLessThanOrEqual(2);
    expect(tunnel.connections()).toBeLessThanOrEqual(2);
    const busy = [1, 2].map(() => failureOf(own.query(tunnel.connector, ask(sql.sleep))));
    const late = await failureOf(
      own.query(tunnel.connector, ask('select 1', [], { connectionTimeoutMs: 50 })),
    );
    expect(late).toMatchObject({ code: 'SQL_TIMEOUT', details: { ambiguous: false } });
    expect(late.message).toContain('All 2 connections');
    const other = foreign();
    while ((await other.query(connector, ask(sql.sleepers))).length < 2);
    await own.close();
    expect((await Promise.all(busy)).map(({ code }) => code)).toEqual(['SHUTDOWN', 'SHUTDOWN']);
  });

  need('when closed: cancels what runs, and sends nothing more', async () => {
    const own = foreign({ maxConnections: 1 });
    const other = foreign();
    const running = failureOf(own.query(connector, ask(sql.sleep)));
    const waiting = failureOf(own.query(connector, ask('select 1')));
    while ((await other.query(connector, ask(sql.sleepers))).length === 0);
    await own.close();
    expect((await running).code).toBe('SHUTDOWN');
    expect((await waiting).code).toBe('SHUTDOWN');
    expect(await other.query(connector, ask(sql.sleepers))).toEqual([]);
    expect((await failureOf(own.query(connector, ask('select 1')))).code).toBe('SHUTDOWN');
  });

  need('closes connections that nobody uses', async () => {
    const tunnel = await startTunnel(connector);
    const own = foreign({ idleMs: 10 });
    const closed = tunnel.nextClose();
    await own.query(tunnel.connector, ask('select 1'));
    await closed;
    await own.query(tunnel.connector, ask('select 1'));
    expect(tunnel.connections()).toBe(2);
  });

  need(
    'leaves a doubt when the connection breaks under a statement, and none when it broke before',
    async () => {
      const tunnel = await startTunnel(connector);
      const own = foreign();
      await own.query(tunnel.connector, ask('select 1'));
      const broken = failureOf(own.query(tunnel.connector, ask(sql.sleep)));
      const other = foreign();
      while ((await other.query(connector, ask(sql.sleepers))).length === 0);
      tunnel.cut();
      expect(await broken).toMatchObject({
        code: 'SQL_UNREACHABLE',
        details: { kind: 'network', ambiguous: true },
      });
      expect(await own.query(tunnel.connector, ask('select 1 as a'))).toEqual([{ a: 1 }]);
    },
  );

  it('refuses forbidden addresses', async () => {
    const inside = { ...connector, host: '10.0.0.1' };
    expect((await failureOf(foreign().query(inside, ask('select 1')))).code).toBe('ADDRESS_FORBIDDEN');
  });

  it.each(['/var/run/postgresql', '10.0.0.1,127.0.0.1', ''])(
    'knows no way around them by the host "%s"',
    async (host) => {
      const guard = createAddressGuard(['127.0.0.1'], async () => {
        throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      });
      const failure = await failureOf(foreign({ guard }).query({ ...connector, host }, ask('select 1')));
      expect(['SQL_UNREACHABLE', 'ADDRESS_FORBIDDEN']).toContain(failure.code);
    },
  );

  it('says when nothing listens', async () => {
    const nobody: SqlConnector = { ...connector, host: '127.0.0.1', port: await freePort() };
    const failure = await failureOf(foreign().query(nobody, ask('select 1')));
    expect(failure).toMatchObject({
      code: 'SQL_UNREACHABLE',
      details: { kind: 'network', ambiguous: false },
    });
    expect(failure.message).toBe('The database at 127.0.0.1 could not be used: the connection was refused.');
  });

  it('gives up a server that accepts and is silent', async () => {
    const { port } = await startTcp((socket) => socket.resume());
    const silent: SqlConnector = { ...connector, host: '127.0.0.1', port };
    const failure = await failureOf(
      foreign().query(silent, ask('select 1', [], { connectionTimeoutMs: 50 })),
    );
    expect(failure).toMatchObject({ code: 'SQL_TIMEOUT', details: { kind: 'timeout', ambiguous: false } });
  });

  it('tries a server that accepts and closes only once', async () => {
    const { port, connections } = await startTcp((socket) => socket.end());
    const closing: SqlConnector = { ...connector, host: '127.0.0.1', port };
    expect((await failureOf(foreign().query(closing, ask('select 1')))).code).toBe('SQL_UNREACHABLE');
    expect(connections()).toBe(1);
  });

  it('gives up a server that speaks something else', async () => {
    const { port } = await startTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const other: SqlConnector = { ...connector, host: '127.0.0.1', port };
    const failure = await failureOf(
      foreign().query(other, ask('select 1', [], { connectionTimeoutMs: 500 })),
    );
    expect(['SQL_UNREACHABLE', 'SQL_TIMEOUT']).toContain(failure.code);
  });
});
