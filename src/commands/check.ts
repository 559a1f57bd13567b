/** `sluiceway check [folder|file…] [--json]`: says what is wrong with channels; exit code 1 on any error. */
import { checkAll } from '../channel/check.ts';
import type { Finding } from '../channel/finding.ts';
import { readTargets } from '../channel/targets.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { SHIPPED } from './find-channel.ts';

/** Without paths: the system channels and the folders of SLUICEWAY_CHANNELS. */
export async function runCheck(args: readonly string[], context: CommandContext): Promise<number> {
  const { stdout, environment } = context;
  const { places: named, options } = readArguments('check', args);
  const { json } = options;
  const own = (environment.SLUICEWAY_CHANNELS ?? '').split(',').map((path) => path.trim());
  const paths = named.length > 0 ? named : [SHIPPED.channels, ...own.filter((path) => path !== '')];
  const targets = await readTargets(paths, SHIPPED.channels);
  const checked = checkAll(targets.sources);
  const findings = [...targets.findings, ...checked.flatMap((each) => each.findings), ...targets.unnamed()];
  const unique = findings.filter(
    (finding, index) => findings.findIndex((each) => same(each, finding)) === index,
  );
  const errors = unique.filter((finding) => finding.severity === 'error').length;
  const warnings = unique.length - errors;
  if (json) {
    stdout.write(
      `${JSON.stringify({ channels: checked.length, errors, warnings, findings: unique }, null, 2)}\n`,
    );
  } else {
    for (const finding of unique) stdout.write(`${lineOf(finding)}\n`);
    stdout.write(
      `${counted(checked.length, 'channel')} checked: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}.\n`,
    );
  }
  return errors > 0 ? 1 : 0;
}

/** A pipeline that two channels share is told of once. */
function same(left: Finding, right: Finding): boolean {
  return (
    left.code === right.code &&
    left.file === right.file &&
    left.pointer === right.pointer &&
    left.message === right.message
  );
}

function lineOf({ file, line, column, severity, code, message }: Finding): string {
  return `${file}:${line}:${column} ${severity} ${code} ${message}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
