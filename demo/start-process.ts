/** Starts a program of this repository in a process of its own and waits for the line that says it is ready. */
import { spawn } from 'node:child_process';

export interface Started {
  /** What the first group of the awaited line held. */
  readonly match: string;
  readonly pid: number | undefined;
  readonly stop: () => Promise<void>;
}

/** Runs `file` on this Node; its errors are shown. Rejects when it ends before `ready` was printed. */
export function startProcess(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  ready: RegExp,
): Promise<Started> {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  };
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
      const match = ready.exec(printed)?.[1];
      if (match !== undefined) resolve({ match, pid: child.pid, stop });
    });
    child.once('exit', (code) =>
      reject(new Error(`${file} ended with ${code} before it was ready: ${printed}`)),
    );
  });
}
