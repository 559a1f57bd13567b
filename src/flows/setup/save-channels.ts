/** Brings the channels of folders into the database: those that come with the product, and those of an admin's own folders. */

import type { ChannelSource } from '../../channel/check.ts';
import type { Finding } from '../../channel/finding.ts';
import { type ChannelFolder, readChannels } from '../../channel/load.ts';
import { parseSource } from '../../channel/source-text.ts';
import { asFailure, type Failure } from '../../errors.ts';
import { own } from '../../json.ts';
import { findChannel, lockChannels } from '../../storage/channels.ts';
import type { Directory } from '../directory/directory.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import type { Runtime } from '../runtime.ts';
import type { GivenChannel } from './examine-channel.ts';
import { emitChannelChanged, saveChannel } from './save-channel.ts';

export interface LoadedFolders {
  /** The sids of the channels that are in the database now, as the folders have them. */
  readonly channels: readonly string[];
  /** What kept others out, as sentences with their places. */
  readonly problems: readonly string[];
}

/**
 * Keeps the built-in channels and each channel of the folders, shared by all accounts; one that cannot be kept is named
 * and stops no other: its version before goes on. Several processes may do this at once, and again at any time.
 */
export async function loadChannelFolders(
  runtime: Runtime,
  directory: Directory,
  folders: readonly ChannelFolder[],
  builtIns: readonly ChannelSource[] = [],
): Promise<LoadedFolders> {
  const loaded = await readChannels(folders);
  const channels: string[] = [];
  const problems = loaded.findings.filter(isError).map(sentenceOf);
  const sources = [...builtIns, ...loaded.sources].map(({ text, ...rest }) => ({
    ...rest,
    source: parseSource(rest.file, text),
  }));
  // Ids are assigned around those that documents name, wherever these stand in the order.
  const reserved = sources
    .flatMap(({ source }) => own(source.value, 'id'))
    .filter((id) => typeof id === 'number');
  for (const { file, ...each } of sources) {
    const given: GivenChannel = { ...each, accountId: null, reserved };
    try {
      channels.push(await keepShared(runtime, given));
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.blame === 'us') throw thrown;
      problems.push(...problemsOf(failure, file));
    }
  }
  directory.forget();
  for (const problem of problems) runtime.log.error({}, problem);
  return { channels, problems };
}

async function keepShared(runtime: Runtime, given: GivenChannel): Promise<string> {
  const { database, clock, log } = runtime;
  const { sid, emitted } = await database.transaction(async (tx) => {
    await lockChannels(tx);
    const found = given.sid === undefined ? undefined : await findChannel(tx, given.sid);
    // A channel of an account, or of another kind, is another channel, and its sid is taken.
    const existing = found?.kind === given.kind && found.account_id === null ? found : undefined;
    const { document, version, changed } = await saveChannel(tx, given, existing, clock.now());
    const change = existing === undefined ? 'create' : 'update';
    // What comes with the product is no news when it comes first.
    const isNews = changed && (change === 'update' || given.kind === 'custom');
    return {
      sid: document.sid,
      emitted: isNews
        ? await emitChannelChanged(tx, null, document.sid, change, { version }, clock.now())
        : [],
    };
  });
  logOperatorEvents(log, emitted);
  return sid;
}

function problemsOf(failure: Failure, file: string): string[] {
  const findings = (failure.details.problems ?? []) as readonly Partial<Finding>[];
  const errors = findings.filter((each) => each.severity === 'error');
  if (errors.length === 0) return [`${file}: ${failure.message}`];
  return errors.map((each) => sentenceOf({ file, line: 1, column: 1, message: failure.message, ...each }));
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

function sentenceOf({
  file,
  line,
  column,
  message,
}: Pick<Finding, 'file' | 'line' | 'column' | 'message'>): string {
  return `${file}:${line}:${column}: ${message}`;
}
