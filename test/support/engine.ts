/** The whole engine for tests, in a process of its own, so that it can be killed; and the demo's provider beside it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Api, callApi } from '../../demo/call-api.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const TOKEN = 'test-admin-token';
/** A process begins sooner where what it runs was compiled before. */
const COMPILED = join(ROOT, 'node_modules/.cache/compiled');

/** Read by the child first: it ends with the process that started it, however that one ends. */
const END_WITH_US = `data:text/javascript,${encodeURIComponent(
  `process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')); process.channel?.unref();`,
)}`;

export interface Running {
  readonly match: string;
  /** Sends a signal and waits for the end. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>;
  readonly errors: () => string;
  readonly printed: () => string;
}

/** Runs a program of this repository and waits for the line that says it is ready. */
export function run(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  ready: RegExp,
): Promise<Running> {
  const child = spawn(process.execPath, ['--import', END_WITH_US, join(ROOT, file), ...args], {
    env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: COMPILED, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let printed = '';
  let errors = '';
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const end = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return ended;
  };
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
      const match = ready.exec(printed)?.[1];
      if (match !== undefined) resolve({ match, end, errors: () => errors, printed: () => printed });
    });
    void ended.then((code) =>
      reject(new Error(`${file} ended with ${code} before it was ready: ${printed}${errors}`)),
    );
  });
}

export interface Provider extends Running {
  readonly url: string;
  readonly log: () => Promise<{
    messages: { to: string; reference: string; requests: number }[];
    board: string[];
  }>;
}

/** The demo's SMS provider; answers take about `delayMs`. */
export async function startProvider(delayMs: number): Promise<Provider> {
  const running = await run('demo/sms-provider.ts', [], { PROVIDER_DELAY_MS: String(delayMs) }, /^(\d+)$/m);
  const url = `http://127.0.0.1:${running.match}`;
  return {
    ...running,
    url,
    log: async () => (await (await fetch(`${url}/log`)).json()) as Awaited<ReturnType<Provider['log']>>,
  };
}

export interface Engine extends Running {
  readonly url: string;
  readonly api: Api;
}

/** Starts the engine with these settings beside the usual ones of a test. */
export async function startEngine(environment: Readonly<Record<string, string>>): Promise<Engine> {
  const running = await run(
    'src/main.ts',
    ['serve'],
    {
      SLUICEWAY_PORT: '0',
      SLUICEWAY_ADMIN_TOKEN: TOKEN,
      SLUICEWAY_CHANNELS: join(ROOT, 'examples'),
      SLUICEWAY_SECRET_KEY: Buffer.alloc(32, 3).toString('base64'),
      SLUICEWAY_LEASE_SECONDS: '1',
      SLUICEWAY_LOG_LEVEL: 'error',
      ...environment,
    },
    /listens on (\S+)/,
  );
  return { ...running, url: running.match, api: callApi(running.match, TOKEN) };
}

/** Asks again until it holds; the test's own time limit ends it otherwise. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 25));
}
