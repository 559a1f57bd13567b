/** Runs a command line in this process and keeps what it prints. */
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCli } from '../../src/cli.ts';

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** A terminal is played by `terminal`: its columns; standard input by `input`. */
export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  terminal?: number,
  input = '',
): Promise<Ran> {
  const stdout = new PassThrough();
  if (terminal !== undefined) Object.assign(stdout, { isTTY: true, columns: terminal });
  const printed = text(stdout);
  const code = await runCli(args, environment, stdout, () => Readable.from([input])).finally(() =>
    stdout.end(),
  );
  return { code, output: await printed };
}

/** The failure of a command line, as a person reads it. */
export async function failureOfCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    const { output } = await runCommand(args, environment);
    return `no failure: ${output}`;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
