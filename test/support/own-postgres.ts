/** A PostgreSQL server of a test's own, in a temporary folder, that may be crashed and started again. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';

const VERSIONS = '/usr/lib/postgresql';
const READY_EVERY_MS = 50;

export interface OwnPostgres {
  readonly port: number;
  readonly url: string;
  /** Ends it without a farewell, as a power cut would, and starts it again; its log brings back what was committed. */
  readonly crash: () => Promise<void>;
  /** Ends it as an operator does, connections and all, and starts it again. */
  readonly restart: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Where the server's programs are; undefined if there are none. */
export function postgresPrograms(): string | undefined {
  const folders = [
    process.env.POSTGRES_PROGRAMS ?? '',
    ...(existsSync(VERSIONS) ? readdirSync(VERSIONS).sort().reverse() : []).map((version) =>
      join(VERSIONS, version, 'bin'),
    ),
  ];
  return folders.find((folder) => folder !== '' && existsSync(join(folder, 'initdb')));
}

/** The server refuses to run as root. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Makes a cluster and starts it on a free port. */
export async function startOwnPostgres(programs: string): Promise<OwnPostgres> {
  const user = serverUser();
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-postgres-'));
  if (user.uid !== undefined) await chown(folder, user.uid, user.gid ?? 0);
  const data = join(folder, 'data');
  const init = ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--no-instructions'];
  execFileSync(join(programs, 'initdb'), init, { ...user, cwd: folder, stdio: 'ignore' });
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | undefined;
  let printed = '';

  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: folder };
  const start = async () => {
    const args = [
      '-D',
      data,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const child = spawn(join(programs, 'postgres'), args, {
      ...user,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // Also where this process is told to end in the middle.
    const last = () => child.kill('SIGQUIT');
    process.once('exit', last);
    child.once('exit', () => process.off('exit', last));
    server = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString('utf8')).slice(-4_000);
    });
    while (!(await answers(url))) {
      if (child.exitCode !== null) throw new Error(`The PostgreSQL of this test ended: ${printed}`);
      await new Promise((resolve) => setTimeout(resolve, READY_EVERY_MS));
    }
  };
  const stop = async (signal: NodeJS.Signals) => {
    const child = server;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  const end = async () => {
    await stop('SIGQUIT');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (thrown) {
    await end();
    throw thrown;
  }
  return {
    port,
    url,
    crash: async () => {
      await stop('SIGQUIT');
      await start();
    },
    restart: async () => {
      await stop('SIGINT');
      await start();
    },
    end,
  };
}

async function answers(url: string): Promise<boolean> {
  const client = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
  try {
    await client`select 1`;
    return true;
  } catch {
    return false;
  } finally {
    await client.end({ timeout: 1 });
  }
}

/** Free just now. Anyone who takes it in between makes the server end with a clear error. */
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
