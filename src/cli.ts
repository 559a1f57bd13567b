/** The commands: `sluiceway <command>`. Each has its own file in src/commands. */
import type { Writable } from 'node:stream';
import type { CommandContext, CommandEntry } from './commands/command.ts';
import { type CommandName, DECLARATIONS, type Declaration, usageOf } from './commands/declarations.ts';
import { asFailure } from './errors.ts';
import { problemOf } from './http/problem.ts';
import { nearName } from './near.ts';

const LOADERS: Readonly<Record<CommandName, CommandEntry['load']>> = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  check: async () => (await import('./commands/check.ts')).runCheck,
  test: async () => (await import('./commands/test.ts')).runTest,
  'dry-run': async () => (await import('./commands/dry-run.ts')).runDryRun,
  graph: async () => (await import('./commands/graph.ts')).runGraph,
  init: async () => (await import('./commands/init.ts')).runInit,
  send: async () => (await import('./commands/send.ts')).runSend,
  'mailing start': async () => (await import('./commands/mailing-start.ts')).runMailingStart,
  import: async () => (await import('./commands/import.ts')).runImport,
  export: async () => (await import('./commands/export.ts')).runExport,
  plan: async () => (await import('./commands/plan.ts')).runPlanCommand,
  apply: async () => (await import('./commands/apply.ts')).runApply,
  migrate: async () => (await import('./commands/migrate.ts')).runMigrate,
  'keys rotate': async () => (await import('./commands/keys-rotate.ts')).runKeysRotate,
  'token create': async () => (await import('./commands/token-create.ts')).runTokenCreate,
  'user create': async () => (await import('./commands/user-create.ts')).runUserCreate,
};

/** All commands by name, in the order of the help. */
export const COMMANDS: ReadonlyMap<string, CommandEntry> = new Map(
  (Object.keys(DECLARATIONS) as CommandName[]).map((name): [string, CommandEntry] => {
    const { summary, options }: Declaration = DECLARATIONS[name];
    return [name, { usage: usageOf(name), summary, options, load: LOADERS[name] }];
  }),
);

/** Runs a command line and gives its exit code. Throws Failure, except where the command was asked to answer in JSON. */
export async function runCli(
  args: readonly string[],
  environment: CommandContext['environment'],
  stdout: Writable,
  stdin: CommandContext['stdin'] = () => process.stdin,
): Promise<number> {
  if (args.length === 0 || args[0] === 'help' || args[0] === '--help') {
    stdout.write(help());
    return args.length === 0 ? 1 : 0;
  }
  const words = COMMANDS.has(args.slice(0, 2).join(' ')) ? 2 : 1;
  const name = args.slice(0, words).join(' ');
  const rest = args.slice(words);
  const entry = COMMANDS.get(name);
  if (entry === undefined) {
    stdout.write(`${unknownCommand(name, rest[0])}\n\n${help()}`);
    return 1;
  }
  if (rest.includes('--help')) {
    stdout.write(helpOf(entry));
    return 0;
  }
  const command = await entry.load();
  try {
    return await command(rest, { stdin, stdout, environment });
  } catch (thrown) {
    if (!rest.includes('--json')) throw thrown;
    stdout.write(`${JSON.stringify({ problem: problemOf(asFailure(thrown)) }, null, 2)}\n`);
    return 1;
  }
}

function unknownCommand(name: string, next: string | undefined): string {
  const names = [...COMMANDS.keys()];
  const longer = names.filter((each) => each.startsWith(`${name} `));
  if (longer.length > 0) return `"${name}" is not the whole command. It goes on: ${longer.join(', ')}.`;
  const firstWords = names.map((each) => each.split(' ')[0] ?? '');
  const near = nearName(`${name} ${next ?? ''}`, names) ?? nearName(name, [...names, ...firstWords]);
  return `There is no command "${name}".${near === undefined ? '' : ` Did you mean "${near}"?`}`;
}

function help(): string {
  const width = Math.max(...[...COMMANDS.keys()].map((name) => name.length));
  const lines = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `sluiceway <command>\n\n${lines.join('\n')}\n\nMore of one: sluiceway <command> --help\n`;
}

function helpOf({ usage, summary, options }: CommandEntry): string {
  const rows = Object.entries(options).map(([name, { value, description, default: usual }]) => ({
    left: value === undefined ? `--${name}` : `--${name} <${value}>`,
    right: usual === undefined ? description : `${description} Default: ${usual}.`,
  }));
  const width = Math.max(0, ...rows.map(({ left }) => left.length));
  const lines = rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}\n`);
  return `sluiceway ${usage}\n\n${summary}\n${lines.length === 0 ? '' : `\n${lines.join('')}`}`;
}
