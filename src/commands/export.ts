/** `sluiceway export [--out file]`: the bundle of an account, with references where its secrets are. */
import { writeFile } from 'node:fs/promises';
import { Failure } from '../errors.ts';
import { readArguments } from './arguments.ts';
import type { BundleDocument } from './bundle/document.ts';
import { readServerState } from './bundle/server-state.ts';
import { writeBundle } from './bundle/write-bundle.ts';
import type { CommandContext } from './command.ts';
import { connectServer } from './server-api.ts';

export async function runExport(args: readonly string[], context: CommandContext): Promise<number> {
  const { options } = readArguments('export', args);
  const { out, json } = options;
  const api = connectServer(options, context.environment);
  const bundle = await writeBundle(await readServerState(api));
  const text = `${JSON.stringify(bundle, null, 2)}\n`;
  if (out === undefined) {
    context.stdout.write(text);
    return 0;
  }
  try {
    await writeFile(out, text);
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown reason';
    throw new Failure('REQUEST_INVALID', `The file "${out}" cannot be written (${code}).`);
  }
  const counts = countMembers(bundle);
  const words = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
  context.stdout.write(
    json
      ? `${JSON.stringify({ file: out, ...counts }, null, 2)}\n`
      : `${out}: ${words.length === 0 ? 'nothing' : words.join(', ')}\n`,
  );
  return 0;
}

function countMembers(bundle: BundleDocument): Readonly<Record<string, number>> {
  const { sluiceway: _version, sendingRules, ...lists } = bundle;
  const counts = Object.entries(lists).map(([name, members]) => [name, members.length]);
  return Object.fromEntries([...counts, ['sendingRules', sendingRules === undefined ? 0 : 1]]);
}
