/** `sql_pipe`: queries an external database. */
import { definePipe } from './contract.ts';
import { boolean, number, sql, string } from './params.ts';

export const sqlPipe = definePipe({
  type: 'sql_pipe',
  summary: 'Queries an external database and puts the answer into `$in.sql_query`.',
  params: {
    connector_id: string('The connector that knows the database and its credentials.', {
      required: true,
      alternatives: [{ type: 'integer' }],
    }),
    query: sql(
      'The statement. Templates become bound parameters, never text; do not put quotes around them.',
      {
        required: true,
      },
    ),
    map: boolean('Give only the first row, null where there is none, instead of the array of rows.', {
      default: false,
    }),
    connection_timeout: number('Seconds until the connection must stand.', {
      default: 5,
      minimum: 0.1,
      maximum: 60,
    }),
    query_timeout: number('Seconds until the answer must be there.', {
      default: 30,
      minimum: 0.1,
      maximum: 300,
    }),
  },
  needs: ['sql'],
  adds: () => ({ sql_query: 'any' }),
  errors: ['CONNECTOR_UNKNOWN', 'SQL_UNREACHABLE', 'SQL_TIMEOUT', 'SQL_FAILED'],
  examples: [
    {
      name: 'all rows, with a bound value that holds a quote',
      params: { connector_id: 'crm', query: 'select code from codes where city = $profile.city' },
      scope: { profile: { city: "L'Aquila" } },
      rows: [{ code: 'A1' }, { code: 'B2' }],
      expect: {
        exit: 'success',
        add: { sql_query: [{ code: 'A1' }, { code: 'B2' }] },
        statements: [
          { connector: 'crm', text: 'select code from codes where city = ?', values: ["L'Aquila"] },
        ],
      },
    },
    {
      name: 'the first row',
      params: { connector_id: 'crm', query: 'select code from codes', map: true },
      rows: [{ code: 'A1' }, { code: 'B2' }],
      expect: { exit: 'success', add: { sql_query: { code: 'A1' } } },
    },
    {
      name: 'no row',
      params: { connector_id: 7, query: 'select code from codes where id = $in.id', map: true },
      in: { id: 3 },
      rows: [],
      expect: { exit: 'success', add: { sql_query: null }, statements: [{ connector: '7', values: [3] }] },
    },
    {
      name: 'a value that is not there',
      params: { connector_id: 'crm', query: 'select code from codes where id = $in.id' },
      in: {},
      expect: { exit: 'error', code: 'TEMPLATE_VALUE_MISSING' },
    },
  ],
  run: async ({ connector_id, query, map, connection_timeout, query_timeout }, context) => {
    const rows = await context.can.sql({
      connector: connector_id,
      text: query.text,
      values: query.values,
      connectionTimeoutMs: Math.round(connection_timeout * 1000),
      queryTimeoutMs: Math.round(query_timeout * 1000),
    });
    return { add: { sql_query: map ? (rows[0] ?? null) : rows } };
  },
});
