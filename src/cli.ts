/** The commands: `sluiceway <command>`. Each has its own file in src/commands. */
import type { Writable } from 'node:stream';
import { nearest } from './validate.ts';

export interface CommandContext {
  readonly stdout: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A command gets its arguments and gives the exit code. */
export type Command = (args: readonly string[], context: CommandContext) => Promise<number>;

interface Entry {
  readonly usage: string;
  readonly summary: string;
  /** Loaded when used, so that `check` does not open what `serve` needs. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: {
    usage: 'serve',
    summary: 'Run the engine: API, listener and worker, as the settings say.',
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  check: {
    usage: 'check [folder|file…] [--json]',
    summary: 'Check channel documents; exit code 1 on any error.',
    load: async () => (await import('./commands/check.ts')).runCheck,
  },
  test: {
    usage: 'test [folder|file…] [--update] [--outs] [--json]',
    summary: 'Run golden tests beside the channels, offline.',
    load: async () => (await import('./commands/test.ts')).runTest,
  },
};

/** Runs a command line and gives its exit code. */
export async function runCli(
  args: readonly string[],
  environment: CommandContext['environment'],
  stdout: Writable,
): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help') {
    stdout.write(help());
    return name === undefined ? 1 : 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    const near = nearest(name, Object.keys(COMMANDS));
    stdout.write(
      `There is no command "${name}".${near === undefined ? '' : ` Did you mean "${near}"?`}\n\n${help()}`,
    );
    return 1;
  }
  const command = await entry.load();
  return command(rest, { stdout, environment });
}

function help(): string {
  const entries = Object.values(COMMANDS);
  const width = Math.max(...entries.map((entry) => entry.usage.length));
  const lines = entries.map((entry) => `  ${entry.usage.padEnd(width)}  ${entry.summary}`);
  return `sluiceway <command>\n\n${lines.join('\n')}\n`;
}
