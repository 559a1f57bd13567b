/** Connectors: the external databases that `sql_pipe` queries. */
import { sealFields, type Vault } from '../../access/vault.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import { showFields } from '../../flows/directory/stored-fields.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isoTime } from '../../time.ts';
import { entityRoutes, type Show } from '../entity-routes.ts';
import type { Route } from '../route.ts';
import { entityName, sid, text } from '../schemas.ts';

interface Settings {
  readonly kind?: 'postgresql' | 'mysql';
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  readonly password?: string | null | { readonly set: true };
  readonly tls?: 'off' | 'encrypt' | 'verify' | boolean;
}
type ConnectorRequest = Settings & { readonly sid: string; readonly name: string };

const PORTS = { postgresql: 5432, mysql: 3306 } as const;
const SECRET: ReadonlySet<string> = new Set(['password']);

/** Members of a connector, as requests have them. */
export const connectorMembers = {
  sid: { ...sid, description: 'The connector_id of sql_pipe.' },
  name: entityName,
  kind: { enum: Object.keys(PORTS) },
  host: text('Name or address of the server.', { pattern: '^[A-Za-z0-9._:\\[\\]-]+$', maxLength: 255 }),
  port: { type: 'integer', minimum: 1, maximum: 65_535, description: '5432 or 3306 where it is left out.' },
  database: text('Name of the database.', { minLength: 1, maxLength: 255 }),
  user: text('Name of the user.', { minLength: 1, maxLength: 255 }),
  password: {
    description: 'Write-only: left out it stays, null clears it.',
    anyOf: [
      text('The password.', { maxLength: 1_024 }),
      { type: 'null' },
      {
        type: 'object',
        properties: { set: { const: true }, setAt: { type: ['string', 'null'] } },
        required: ['set'],
      },
    ],
  },
  tls: {
    enum: ['off', 'encrypt', 'verify', true, false],
    description:
      '"verify" (or true, and where it is left out): only a server with a trusted certificate. "encrypt": any certificate. "off" (or false): no TLS.',
  },
};

const show: Show<'connector'> = (row) => {
  const { kind, host, port, database, user, password, tls } = showFields(row.fields, SECRET);
  return { kind, host, port, database, user, password: row.fields.password === '' ? null : password, tls };
};

/** Routes of connectors. */
export function connectorRoutes(runtime: Runtime, directory: Directory): Route[] {
  const { clock, vault } = runtime;
  return entityRoutes<'connector', ConnectorRequest>(runtime, directory, {
    table: 'connector',
    action: 'connectors.write',
    members: connectorMembers,
    required: ['kind', 'host', 'database', 'user'],
    shower: async () => show,
    plan: async (_accountId, { sid: _sid, name: _name, ...settings }) => ({
      show,
      values: (held) => ({
        fields: {
          json: JSON.stringify(storeSettings(vault, settings, held?.fields ?? {}, isoTime(clock.now()))),
        },
      }),
    }),
  });
}

function storeSettings(
  vault: Vault,
  given: Settings,
  stored: Readonly<Record<string, unknown>>,
  setAt: string,
): Record<string, unknown> {
  const { password, tls, ...plain } = given;
  const settings: Record<string, unknown> = {
    port: PORTS[given.kind ?? 'postgresql'],
    tls: 'verify',
    // None: the databases' drivers take a text.
    password: '',
    ...stored,
    ...plain,
    ...(tls !== undefined && { tls: tls === true ? 'verify' : tls === false ? 'off' : tls }),
  };
  if (password === null || password === '') settings.password = '';
  else if (typeof password === 'string') {
    Object.assign(settings, sealFields(vault, { password }, SECRET, setAt));
  }
  return settings;
}
