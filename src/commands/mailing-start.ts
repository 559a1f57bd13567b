/** `sluiceway mailing start <id>`: starts a mailing and shows how it goes. Ending the command does not end the mailing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandContext } from '../cli.ts';
import { Failure } from '../errors.ts';
import { systemClock } from '../time.ts';
import { readArguments } from './arguments.ts';
import { createProgress } from './progress.ts';
import { connectServer } from './server-api.ts';

interface Mailing {
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly messages: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly pace: {
    readonly perSecond: number;
    readonly remaining: number;
    readonly remainingSeconds: number | null;
  };
  readonly schedule: { readonly startAt?: string } | null;
}

const POLL_MS = 250;
/** In these a launch is under way. */
const RUNNING: ReadonlySet<string> = new Set(['moderating', 'sending', 'paused']);

/** Gives exit code 1 where the mailing was stopped or sent back. */
export async function runMailingStart(args: readonly string[], context: CommandContext): Promise<number> {
  const { places, options } = readArguments('mailing start', args);
  const [id = ''] = places;
  if (!/^[\w-]+$/.test(id)) throw new Failure('REQUEST_INVALID', `"${id}" is not the id of a mailing.`);
  const api = connectServer(options, context.environment);
  const progress = createProgress(context.stdout, systemClock, options.json);
  let mailing: Mailing = await api.post(`/mailings/${id}/start`);
  progress.say(`"${mailing.name}": ${stateOf(mailing)}`);
  let before = mailing.state;
  while (!options['no-wait'] && RUNNING.has(mailing.state)) {
    await sleep(POLL_MS);
    mailing = await api.get(`/mailings/${id}`);
    if (mailing.state !== before && RUNNING.has(mailing.state)) progress.say(stateOf(mailing));
    else progress.show(lineOf(mailing));
    before = mailing.state;
  }
  progress.end();
  if (!options['no-wait'] && mailing.state !== 'scheduled') progress.say(lineOf(mailing));
  if (options.json) context.stdout.write(`${JSON.stringify(mailing, null, 2)}\n`);
  return ['draft', 'stopped'].includes(mailing.state) ? 1 : 0;
}

function stateOf({ state, reason, schedule }: Mailing): string {
  if (state === 'scheduled') return `scheduled; it starts by itself at ${schedule?.startAt ?? 'its time'}`;
  return reason === null ? state : `${state} (${reason})`;
}

/** `sending: 412 of 1000 messages (sent 400, failed 12), 210.5 per second, about 3 s left`. */
function lineOf(mailing: Mailing): string {
  const { messages, counts, pace } = mailing;
  const states = Object.entries(counts).map(([state, count]) => `${state} ${count}`);
  const left = pace.remainingSeconds === null ? '' : `, about ${pace.remainingSeconds} s left`;
  return `${stateOf(mailing)}: ${messages - pace.remaining} of ${messages} messages${
    states.length === 0 ? '' : ` (${states.join(', ')})`
  }, ${pace.perSecond} per second${left}`;
}
