/** What the two kinds of foreign databases have in common: whom to connect to, a connection, its limits. */
import type { AddressGuard } from './address-guard.ts';
import type { SqlDialect } from './sql-text.ts';

export interface SqlConnector {
  readonly kind: SqlDialect;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** `verify`: only to a server whose certificate is trusted and names the host. `encrypt`: to any. */
  readonly tls: 'off' | 'encrypt' | 'verify';
  /** PEM certificates to trust instead of the system's. */
  readonly trustedCertificates?: readonly string[];
}

export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly timeoutMs: number;
  readonly maxRows: number;
  /** As sent by the server, counted on the wire. */
  readonly maxBytes: number;
}

/** One connection; runs one statement at a time. */
export interface SqlConnection {
  /** Throws SQL_FAILED, SQL_TIMEOUT, SQL_UNREACHABLE, SHUTDOWN. After a timeout or a passed limit the connection is gone. */
  readonly run: (statement: SqlStatement) => Promise<readonly SqlRow[]>;
  readonly alive: () => boolean;
  /** Ends it; a running statement is cancelled first. Never throws. */
  readonly close: () => Promise<void>;
}

/** Opens a connection that is ready for statements. Throws ADDRESS_FORBIDDEN, SQL_FAILED, SQL_TIMEOUT, SQL_UNREACHABLE. */
export type OpenSql = (
  connector: SqlConnector,
  guard: AddressGuard,
  timeoutMs: number,
) => Promise<SqlConnection>;
