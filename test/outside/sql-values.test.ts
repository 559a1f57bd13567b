import { afterEach, describe, expect, it } from 'vitest';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { createForeignSql, type ForeignSql, type SqlConnector } from '../../src/outside/foreign-sql.ts';
import { postgresRow } from '../../src/outside/postgres-values.ts';
import { TEST_CERTIFICATE } from './certificate.ts';
import { isMissing, MYSQL, POSTGRES, startTlsTunnel } from './databases.ts';
import { closeProviders, failureOf } from './provider.ts';

const opened: ForeignSql[] = [];

function foreign(...allow: string[]): ForeignSql {
  const made = createForeignSql({
    guard: createAddressGuard(['127.0.0.1', ...allow], async () => [{ address: '127.0.0.1', family: 4 }]),
    maxBytes: 1_000_000,
  });
  opened.push(made);
  return made;
}

const query = (connector: SqlConnector, text: string, values: readonly unknown[] = [], own = foreign()) =>
  own.query(connector, { text, values, connectionTimeoutMs: 10_000, queryTimeoutMs: 10_000 });

afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await closeProviders();
});

const noPostgres = await isMissing(POSTGRES);
const noMysql = await isMissing(MYSQL);

describe('values of PostgreSQL', () => {
  it.skipIf(noPostgres)('come as JSON (needs a PostgreSQL server)', async () => {
    const [row] = await query(
      POSTGRES,
      `select 1::int2 i2, 5::int8 i8, 9007199254740993::int8 big, 1.50::numeric num, 0.1::float8 f8, 'NaN'::float8 nan,
        true b, null::text nul, 'é😀' t, 'v'::varchar v, '\\x01ff'::bytea bytes, '{"a":[1,null]}'::jsonb j, '[1]'::json js,
        date '2026-01-02' d, timestamp '2026-01-02 03:04:05.6' ts, timestamptz '2026-01-02 03:04:05.6+02' tz, time '03:04' ti,
        '6b1ef2b6-6a4e-4b0e-9c39-0d7a0f4f8a11'::uuid u, 'infinity'::timestamptz inf, '1 day'::interval iv`,
    );
    expect(row).toEqual({
      i2: 1,
      i8: 5,
      big: '9007199254740993',
      num: '1.50',
      f8: 0.1,
      nan: 'NaN',
      b: true,
      nul: null,
      t: 'é😀',
      v: 'v',
      bytes: 'Af8=',
      j: { a: [1, null] },
      js: [1],
      d: '2026-01-02',
      ts: '2026-01-02T03:04:05.6',
      tz: '2026-01-02T01:04:05.6Z',
      ti: '03:04:00',
      u: '6b1ef2b6-6a4e-4b0e-9c39-0d7a0f4f8a11',
      inf: 'infinity',
      iv: '1 day',
    });
  });

  it.skipIf(noPostgres)('come as arrays (needs a PostgreSQL server)', async () => {
    const [row] = await query(
      POSTGRES,
      `select array[1, null, 3] i, array['a "b" \\ {c}', null, 'NULL', '', 'x,y'] t, '{}'::text[] e, array[[1,2],[3,4]] m,
        '[0:1]={7,8}'::int[] bounds, array['{"a":"}"}'::jsonb] j, array[9007199254740993, 1] big, array[true] b,
        array[timestamptz '2026-01-02 03:04:05+00'] tz`,
    );
    expect(row).toEqual({
      i: [1, null, 3],
      t: ['a "b" \\ {c}', null, 'NULL', '', 'x,y'],
      e: [],
      m: [
        [1, 2],
        [3, 4],
      ],
      bounds: [7, 8],
      j: [{ a: '}' }],
      big: ['9007199254740993', 1],
      b: [true],
      tz: ['2026-01-02T03:04:05Z'],
    });
  });

  it.skipIf(noPostgres)('are bound by what the place wants (needs a PostgreSQL server)', async () => {
    const [row] = await query(
      POSTGRES,
      `select ?::int i, ?::text n, ?::bool b, ?::jsonb o, ?::json a, ?::bytea bytes, ?::text textbytes, ?::timestamptz tz, ?::date d,
        ?::int nul, ?::text obj, ?::numeric f, ?::int8 big`,
      [
        5,
        5,
        false,
        { x: "L'Aquila" },
        [1, { y: null }],
        Buffer.from([0, 255]),
        Buffer.from('é'),
        '2026-01-01T00:00:00Z',
        '2026-01-01',
        undefined,
        { x: 1 },
        0.1,
        9_007_199_254_740_993n,
      ],
    );
    expect(row).toEqual({
      i: 5,
      n: '5',
      b: false,
      o: { x: "L'Aquila" },
      a: [1, { y: null }],
      bytes: 'AP8=',
      textbytes: 'é',
      tz: '2026-01-01T00:00:00Z',
      d: '2026-01-01',
      nul: null,
      obj: '{"x":1}',
      f: '0.1',
      big: '9007199254740993',
    });
  });

  it('keep times before Christ as the database writes them', () => {
    const row = postgresRow([{ name: 't', type: 1184 }], [Buffer.from('0044-03-15 12:00:00+00 BC')]);
    expect(row).toEqual({ t: '0044-03-15 12:00:00+00 BC' });
  });

  it.skipIf(noPostgres)(
    'do not come by COPY, and the next statement is not harmed (needs a PostgreSQL server)',
    async () => {
      const own = foreign();
      for (const text of ['copy (select 1) to stdout', 'copy pg_temp.x from stdin']) {
        expect((await failureOf(query(POSTGRES, text, [], own))).code).toBe('SQL_FAILED');
      }
      expect(await query(POSTGRES, 'select 1 as a', [], own)).toEqual([{ a: 1 }]);
    },
  );
});

describe('values of MySQL', () => {
  it.skipIf(noMysql)('come as JSON (needs a MySQL server)', async () => {
    const [row] = await query(
      MYSQL,
      `select 1 i, cast(5 as signed) i8, 9007199254740993 big, 1.50 num, 0.5e0 f8, null nul, 'é😀' t, x'01ff' bytes,
        json_object('a', json_array(1, null)) j, date '2026-01-02' d, timestamp '2026-01-02 03:04:05.600' dt, time '03:04:05' ti,
        convert_tz(from_unixtime(0), @@session.time_zone, '+00:00') epoch`,
    );
    expect(row).toEqual({
      i: 1,
      i8: 5,
      big: '9007199254740993',
      num: '1.50',
      f8: 0.5,
      nul: null,
      t: 'é😀',
      bytes: 'Af8=',
      j: { a: [1, null] },
      d: '2026-01-02',
      dt: '2026-01-02T03:04:05.600',
      ti: '03:04:05',
      epoch: expect.stringMatching(/^1970-01-01T00:00:00/),
    });
  });

  it.skipIf(noMysql)('come in UTC where they have a zone (needs a MySQL server)', async () => {
    const own = foreign();
    const table = `sluiceway_zone_${process.pid}`;
    await query(MYSQL, `create table ${table} (at timestamp null, wall datetime)`, [], own);
    try {
      await query(
        MYSQL,
        `insert into ${table} values (from_unixtime(?), ?)`,
        [1_767_225_600, '2026-01-01 05:00:00'],
        own,
      );
      expect(await query(MYSQL, `select * from ${table}`, [], own)).toEqual([
        { at: expect.stringMatching(/^2026-01-01T00:00:00(\.0+)?Z$/), wall: '2026-01-01T05:00:00' },
      ]);
    } finally {
      await query(MYSQL, `drop table ${table}`, [], own);
    }
  });

  it.skipIf(noMysql)('are bound by their kind (needs a MySQL server)', async () => {
    const values = [
      5,
      0.1,
      false,
      { x: "L'Aquila" },
      [1, null],
      Buffer.from([0, 255]),
      undefined,
      9_007_199_254_740_993n,
      -7,
    ];
    const [row] = await query(
      MYSQL,
      'select ? i, ? f, ? b, ? o, ? a, hex(?) bytes, ? nul, ? big, ? neg',
      values,
    );
    expect(row).toEqual({
      i: 5,
      f: 0.1,
      b: 0,
      o: '{"x":"L\'Aquila"}',
      a: '[1,null]',
      bytes: '00FF',
      nul: null,
      big: '9007199254740993',
      neg: -7,
    });
  });
});

describe('TLS to PostgreSQL', () => {
  const to = (port: number, more: Partial<SqlConnector>): SqlConnector => ({
    ...POSTGRES,
    host: 'localhost',
    port,
    tls: 'verify',
    trustedCertificates: [TEST_CERTIFICATE],
    ...more,
  });

  it.skipIf(noPostgres)('checks who the server is (needs a PostgreSQL server)', async () => {
    const { port } = await startTlsTunnel(POSTGRES);
    const own = foreign(`localhost:${port}`, `other.test:${port}`);
    expect(await query(to(port, {}), 'select 1 as a', [], own)).toEqual([{ a: 1 }]);
    for (const more of [{ host: 'other.test' }, { host: '127.0.0.1' }, { trustedCertificates: [] }]) {
      const failure = await failureOf(query(to(port, more), 'select 1', [], own));
      expect(failure).toMatchObject({ code: 'SQL_UNREACHABLE', details: { ambiguous: false } });
      expect(failure.message).toContain('no secure connection could be made');
    }
    expect(await query(to(port, { host: '127.0.0.1', tls: 'encrypt' }), 'select 1 as a', [], own)).toEqual([
      { a: 1 },
    ]);
  });

  it.skipIf(noPostgres)('cancels and stops at limits there too (needs a PostgreSQL server)', async () => {
    const { port } = await startTlsTunnel(POSTGRES);
    const own = foreign(`localhost:${port}`);
    const request = {
      text: 'select pg_sleep(60)',
      values: [],
      connectionTimeoutMs: 10_000,
      queryTimeoutMs: 100,
    };
    expect((await failureOf(own.query(to(port, {}), request))).message).toContain('it was cancelled');
    const large = await failureOf(query(to(port, {}), "select repeat('x', 30000000)", [], own));
    expect(large.message).toContain('more than 1000000 bytes');
    expect(await query(to(port, {}), 'select 1 as a', [], own)).toEqual([{ a: 1 }]);
  });

  it.skipIf(noPostgres)(
    'sends nothing in clear to a server without it (needs a PostgreSQL server)',
    async () => {
      const failure = await failureOf(query({ ...POSTGRES, tls: 'verify' }, 'select 1'));
      expect(failure).toMatchObject({ code: 'SQL_UNREACHABLE', details: { ambiguous: false } });
    },
  );
});
