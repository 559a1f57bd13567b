/** The page of all commands, from their declarations. */
import { COMMANDS } from '../cli.ts';
import type { CommandEntry } from '../commands/command.ts';
import { code, page, table } from './markdown.ts';

/** Writes the page. */
export function commandsPage(): string {
  return page('Commands', [
    '`npx sluiceway <command>`, in the repository `npm run sluiceway -- <command>`. The exit code is 0, or 1 where something failed. ' +
      'With `--json` a command answers in JSON, and a failure as `{ "problem": { … } }`.',
    ...[...COMMANDS].flatMap(([name, entry]) => sectionOf(name, entry)),
  ]);
}

function sectionOf(name: string, { usage, summary, options }: CommandEntry): string[] {
  const rows = Object.entries(options).map(([option, { value, default: usual, required, description }]) => [
    code(value === undefined ? `--${option}` : `--${option} <${value}>`),
    required === true ? 'required' : usual === undefined ? '' : code(usual),
    description,
  ]);
  return [
    `## ${name}`,
    summary,
    `\`\`\`\nsluiceway ${usage}\n\`\`\``,
    ...(rows.length === 0 ? [] : [table(['option', 'default', 'meaning'], rows)]),
  ];
}
