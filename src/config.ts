/** Settings: one table, read from the environment, every mistake named at once. */
import { Failure, type Problem } from './errors.ts';

export interface Setting {
  readonly name: string;
  readonly description: string;
  /** As text; absent if there is none. */
  readonly default?: string;
}

/** The table of settings; docs/reference/settings.md is written from it. */
export const SETTINGS = [
  { name: 'SLUICEWAY_HOST', description: 'Address to listen on.', default: '127.0.0.1' },
  { name: 'SLUICEWAY_PORT', description: 'Port to listen on; 0 takes a free one.', default: '8080' },
  {
    name: 'DATABASE_URL',
    description: 'A PostgreSQL server. Without it an embedded database is kept in SLUICEWAY_DATA.',
  },
  { name: 'SLUICEWAY_DATA', description: 'Folder of the embedded database and its keys.', default: './data' },
  {
    name: 'SLUICEWAY_ADMIN_TOKEN',
    description: 'Bootstrap admin token of the first account. Without it one is made once and printed once.',
  },
  {
    name: 'SLUICEWAY_SECRET_KEY',
    description:
      'Keys that encrypt secrets: 32 bytes each in base64, the current one first, older ones after commas. The embedded mode makes and keeps one; a server needs it given.',
  },
  {
    name: 'SLUICEWAY_CHANNELS',
    description: 'Further folders with custom channels (<sid>/channel.json), separated by commas.',
  },
  {
    name: 'SLUICEWAY_ALLOW_ADDRESSES',
    description:
      'CIDRs and host:port that outgoing requests may reach inside private ranges, separated by commas.',
  },
  {
    name: 'SLUICEWAY_ROLES',
    description: 'Which of api, listener, worker this process is, separated by commas.',
    default: 'api,listener,worker',
  },
  { name: 'SLUICEWAY_PUBLIC_URL', description: 'How providers reach the listener.' },
  { name: 'SLUICEWAY_LANE_CONCURRENCY', description: 'Runs under way at once in one lane.', default: '256' },
  {
    name: 'SLUICEWAY_CONCURRENCY',
    description: 'Runs under way at once in all lanes of this process.',
    default: '1024',
  },
  {
    name: 'SLUICEWAY_DATABASE_CONNECTIONS',
    description: 'Connections to the database server.',
    default: '8',
  },
  {
    name: 'SLUICEWAY_TRAIL_SAMPLE',
    description:
      'Keeps the trail of one in so many uneventful runs; failures, waits and logged runs are always kept.',
    default: '1',
  },
  {
    name: 'SLUICEWAY_RETENTION_DAYS',
    description: 'Messages, events and attempts are kept for so long.',
    default: '400',
  },
  {
    name: 'SLUICEWAY_LISTENER_MAX_BYTES',
    description: "Largest body of a provider's request.",
    default: '1048576',
  },
  {
    name: 'SLUICEWAY_LEASE_SECONDS',
    description:
      'A process without a heartbeat for so long is taken for dead, and what it held is taken over.',
    default: '10',
  },
  {
    name: 'SLUICEWAY_TOKEN',
    description: 'Token with which commands such as send, import and apply call a running server.',
  },
  {
    name: 'SLUICEWAY_OIDC_ISSUER',
    description:
      'An identity provider (OpenID Connect) at which users may sign in; needs SLUICEWAY_PUBLIC_URL. The provider sends them back to <SLUICEWAY_PUBLIC_URL>/api/v1/sessions/oidc/callback.',
  },
  { name: 'SLUICEWAY_OIDC_CLIENT_ID', description: 'What the identity provider calls this installation.' },
  {
    name: 'SLUICEWAY_OIDC_CLIENT_SECRET',
    description: 'Its secret at the identity provider; left out for a public client.',
  },
  {
    name: 'SLUICEWAY_OIDC_ROLE',
    description:
      'Anyone who signs in at the identity provider and is not known becomes a user of the first account with this role: viewer, editor or admin. Without it, nobody does.',
  },
  { name: 'SLUICEWAY_LOG_LEVEL', description: 'debug, info, warn, error or silent.', default: 'info' },
] as const satisfies readonly Setting[];

export type SettingName = (typeof SETTINGS)[number]['name'];
export type Role = 'api' | 'listener' | 'worker';

const ROLES: readonly Role[] = ['api', 'listener', 'worker'];
const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];
export const KEY_BYTES = 32;

/** Signing in at an identity provider. */
export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Where the provider sends the browser back to. */
  readonly redirect: string;
  readonly newUserRole: 'viewer' | 'editor' | 'admin' | undefined;
}

const USER_ROLES = ['viewer', 'editor', 'admin'] as const;
const OIDC_CALLBACK = '/api/v1/sessions/oidc/callback';

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string | undefined;
  readonly dataFolder: string;
  readonly adminToken: string | undefined;
  /** Empty: none given. */
  readonly secretKeys: readonly Buffer[];
  readonly channelFolders: readonly string[];
  readonly allowAddresses: readonly string[];
  readonly roles: ReadonlySet<Role>;
  readonly publicUrl: string | undefined;
  readonly laneConcurrency: number;
  readonly concurrency: number;
  readonly databaseConnections: number;
  readonly trailSample: number;
  readonly retentionDays: number;
  readonly listenerMaxBytes: number;
  readonly leaseMs: number;
  readonly logLevel: string;
  /** Absent: nobody signs in at an identity provider. */
  readonly oidc: OidcConfig | undefined;
}

/** Reads the settings. Throws SETTINGS_INVALID with every mistake. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: Problem[] = [];
  const wrong = (name: string, message: string) => {
    problems.push({ pointer: `/${name}`, message: `${name} ${message}` });
  };
  const textOf = (name: SettingName): string | undefined => {
    const given = environment[name]?.trim();
    if (given !== undefined && given !== '') return given;
    return (SETTINGS as readonly Setting[]).find((setting) => setting.name === name)?.default;
  };
  const list = (name: SettingName) =>
    (textOf(name) ?? '')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
  const whole = (name: SettingName, least: number, most: number): number => {
    const given = Number(textOf(name));
    if (!Number.isInteger(given) || given < least || given > most) {
      wrong(name, `must be a whole number from ${least} to ${most}.`);
    }
    return given;
  };

  const keys = list('SLUICEWAY_SECRET_KEY').map((each) => Buffer.from(each, 'base64'));
  if (keys.some((key) => key.length !== KEY_BYTES)) {
    wrong(
      'SLUICEWAY_SECRET_KEY',
      'must hold keys of 32 bytes in base64; make one with: openssl rand -base64 32',
    );
  }
  const databaseUrl = textOf('DATABASE_URL');
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    wrong('DATABASE_URL', 'must begin with postgres://');
  }
  const publicUrl = textOf('SLUICEWAY_PUBLIC_URL');
  if (publicUrl !== undefined && !(/^https?:\/\//.test(publicUrl) && URL.canParse(publicUrl))) {
    wrong('SLUICEWAY_PUBLIC_URL', 'must be an address, such as https://messages.example.com.');
  }
  const level = textOf('SLUICEWAY_LOG_LEVEL') ?? 'info';
  if (!LEVELS.includes(level)) wrong('SLUICEWAY_LOG_LEVEL', `must be one of ${LEVELS.join(', ')}.`);
  const roles = list('SLUICEWAY_ROLES');
  for (const role of roles) {
    if (!(ROLES as readonly string[]).includes(role))
      wrong('SLUICEWAY_ROLES', `does not know "${role}"; use ${ROLES.join(', ')}.`);
  }
  if (databaseUrl === undefined && roles.length < ROLES.length) {
    wrong(
      'SLUICEWAY_ROLES',
      'must hold all roles with the embedded database, which only one process can open.',
    );
  }
  const config: Config = {
    host: textOf('SLUICEWAY_HOST') ?? '',
    port: whole('SLUICEWAY_PORT', 0, 65_535),
    databaseUrl,
    dataFolder: textOf('SLUICEWAY_DATA') ?? './data',
    adminToken: textOf('SLUICEWAY_ADMIN_TOKEN'),
    secretKeys: keys,
    channelFolders: list('SLUICEWAY_CHANNELS'),
    allowAddresses: list('SLUICEWAY_ALLOW_ADDRESSES'),
    roles: new Set(roles as Role[]),
    publicUrl,
    laneConcurrency: whole('SLUICEWAY_LANE_CONCURRENCY', 1, 10_000),
    concurrency: whole('SLUICEWAY_CONCURRENCY', 1, 20_000),
    databaseConnections: whole('SLUICEWAY_DATABASE_CONNECTIONS', 2, 200),
    trailSample: whole('SLUICEWAY_TRAIL_SAMPLE', 1, 1_000_000),
    retentionDays: whole('SLUICEWAY_RETENTION_DAYS', 1, 10_000),
    listenerMaxBytes: whole('SLUICEWAY_LISTENER_MAX_BYTES', 1, 104_857_600),
    leaseMs: whole('SLUICEWAY_LEASE_SECONDS', 1, 3_600) * 1_000,
    logLevel: level,
    oidc: readOidc(textOf, wrong),
  };
  if (databaseUrl !== undefined && keys.length === 0) {
    wrong('SLUICEWAY_SECRET_KEY', 'is needed with a database server; make one with: openssl rand -base64 32');
  }
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith('SLUICEWAY_') && !SETTINGS.some((setting) => setting.name === name),
  );
  for (const name of unknown) wrong(name, 'is not a setting of this program.');
  if (problems.length > 0) {
    throw new Failure(
      'SETTINGS_INVALID',
      `The settings contain mistakes:\n${problems.map((problem) => `  ${problem.message}`).join('\n')}`,
      { problems },
    );
  }
  return config;
}

function readOidc(
  textOf: (name: SettingName) => string | undefined,
  wrong: (name: string, message: string) => void,
): OidcConfig | undefined {
  const issuer = textOf('SLUICEWAY_OIDC_ISSUER');
  const clientId = textOf('SLUICEWAY_OIDC_CLIENT_ID');
  const clientSecret = textOf('SLUICEWAY_OIDC_CLIENT_SECRET');
  const role = textOf('SLUICEWAY_OIDC_ROLE');
  const publicUrl = textOf('SLUICEWAY_PUBLIC_URL');
  if (issuer === undefined) {
    const alone = { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, ROLE: role };
    for (const [name, value] of Object.entries(alone)) {
      if (value !== undefined) wrong(`SLUICEWAY_OIDC_${name}`, 'needs SLUICEWAY_OIDC_ISSUER.');
    }
    return undefined;
  }
  // What the provider says is who somebody is: nobody on the way may change it.
  if (
    !URL.canParse(issuer) ||
    !/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])([:/]|$))/.test(issuer)
  ) {
    wrong('SLUICEWAY_OIDC_ISSUER', 'must begin with https://, or with http:// on this machine.');
  }
  if (clientId === undefined) wrong('SLUICEWAY_OIDC_CLIENT_ID', 'is needed with SLUICEWAY_OIDC_ISSUER.');
  if (publicUrl === undefined) wrong('SLUICEWAY_PUBLIC_URL', 'is needed with SLUICEWAY_OIDC_ISSUER.');
  const newUserRole = USER_ROLES.find((each) => each === role);
  if (role !== newUserRole) wrong('SLUICEWAY_OIDC_ROLE', `must be one of ${USER_ROLES.join(', ')}.`);
  const redirect = `${(publicUrl ?? '').replace(/\/+$/, '')}${OIDC_CALLBACK}`;
  return { issuer, clientId: clientId ?? '', clientSecret, redirect, newUserRole };
}
