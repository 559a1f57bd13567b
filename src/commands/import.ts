/** `sluiceway import profiles|subscriptions|suppressions <file>`: streams a file into a running server; it is never held whole. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Failure } from '../errors.ts';
import { systemClock } from '../time.ts';
import { oneOf, readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { createProgress, type Progress } from './progress.ts';
import { connectServer } from './server-api.ts';

interface Tally {
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

const MEDIA_TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;
const ENDINGS: readonly (readonly [RegExp, keyof typeof MEDIA_TYPES])[] = [
  [/\.csv$/i, 'csv'],
  [/\.(ndjson|jsonl)$/i, 'ndjson'],
];
const LINE_END = 0x0a;

/** Gives exit code 1 where lines were refused; the others are in. */
export async function runImport(args: readonly string[], context: CommandContext): Promise<number> {
  const { places, options } = readArguments('import', args);
  const [kindGiven = '', file = ''] = places;
  const kind = oneOf('What is imported', kindGiven, ['profiles', 'subscriptions', 'suppressions']);
  const format = formatOf(file, options.format);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw new Failure('NOT_FOUND', `There is no file "${file}" to import.`);
  }
  const api = connectServer(options, context.environment);
  const progress = createProgress(context.stdout, systemClock, options.json);
  const rows = counted(file, found.size, progress);
  const tally: Tally = await api.upload(`/${kind}/import`, MEDIA_TYPES[format], rows);
  progress.end();
  if (options.json) context.stdout.write(`${JSON.stringify(tally, null, 2)}\n`);
  else context.stdout.write(tallyText(tally));
  return tally.failed > 0 ? 1 : 0;
}

function formatOf(file: string, given: string | undefined): keyof typeof MEDIA_TYPES {
  if (given !== undefined) return oneOf('--format', given, ['csv', 'ndjson']);
  const known = ENDINGS.find(([ending]) => ending.test(file));
  if (known !== undefined) return known[1];
  throw new Failure(
    'REQUEST_INVALID',
    `The name "${file}" does not tell what is in the file; say --format csv or --format ndjson.`,
  );
}

/** The bytes of a file, with progress as they are taken. */
async function* counted(file: string, size: number, progress: Progress): AsyncIterable<Uint8Array> {
  let bytes = 0;
  let lines = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    yield chunk;
    bytes += chunk.length;
    for (let at = chunk.indexOf(LINE_END); at !== -1; at = chunk.indexOf(LINE_END, at + 1)) lines += 1;
    const percent = size === 0 ? 100 : Math.floor((100 * bytes) / size);
    progress.show(`${percent}%: ${megabytes(bytes)} of ${megabytes(size)} MB, ${lines} lines sent`);
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}

function tallyText({ created, updated, failed, problems }: Tally): string {
  const lines = problems.map(({ line, message }) => `line ${line}: ${message}`);
  if (failed > problems.length) lines.push(`and ${failed - problems.length} more`);
  lines.push(`${created} created, ${updated} updated, ${failed} refused`);
  return lines.map((line) => `${line}\n`).join('');
}
