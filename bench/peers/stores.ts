/** Stores of the benchmark's own: a database that is dropped, a Redis process in a folder that is removed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';

const SERVER_URL = process.env.BENCH_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test';

export interface OpenStore {
  readonly url: string;
  /** The processes that work for it now, where they are on this machine. */
  readonly pids: () => Promise<readonly number[]>;
  readonly drop: () => Promise<void>;
}

let opened = 0;

/** A database with a name of its own on the server of BENCH_DATABASE_URL. */
export async function openDatabase(): Promise<OpenStore> {
  opened += 1;
  const name = `sluiceway_peers_${process.pid}_${opened}`;
  const url = new URL(SERVER_URL);
  url.pathname = `/${name}`;
  await administer((admin) => admin.unsafe(`create database ${name}`));
  return {
    url: url.href,
    pids: async () => {
      const rows = await administer(
        (admin) => admin`select pid from pg_stat_activity where datname = ${name}`,
      );
      return rows.map((row) => Number(row.pid)).filter(isPostgres);
    },
    drop: async () => {
      await administer((admin) => admin.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}

async function administer<T>(work: (admin: postgres.Sql) => PromiseLike<T>): Promise<T> {
  const admin = postgres(SERVER_URL, { max: 1, onnotice: () => {} });
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** False where the server is on another machine and the number is another program's here. */
function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres';
  } catch {
    return false;
  }
}

/** Whether redis-server is on this machine. */
export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

/** Starts a Redis that writes everything to its append-only file, and to the disk each second or always. */
export async function openRedis(fsync: 'everysec' | 'always'): Promise<OpenStore> {
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-peers-redis-'));
  const port = await freePort();
  const child = spawn(
    'redis-server',
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', fsync, '--maxmemory-policy', 'noeviction'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const drop = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(child);
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    pids: async () => (child.pid === undefined ? [] : [child.pid]),
    drop,
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
      if (printed.includes('Ready to accept connections')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${printed}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
