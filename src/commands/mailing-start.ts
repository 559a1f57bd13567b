/** `sluiceway mailing start <id>`: starts a mailing and shows how it goes. Ending the command does not end the mailing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../errors.ts';
import { systemClock } from '../time.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { createProgress, type Progress as Shown } from './progress.ts';
import { connectServer, type ServerApi } from './server-api.ts';

interface Progress {
  readonly state: string;
  readonly reason: string | null;
  readonly expected: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly pace: {
    readonly perSecond: number;
    readonly remaining: number;
    readonly remainingSeconds: number | null;
  };
}

interface Mailing extends Progress {
  readonly name: string;
  readonly type: string;
  readonly schedule: { readonly startAt?: string } | null;
}

/** A stream that was cut, by a proxy or by a server that starts again, is opened again after so long. */
const AGAIN_MS = 1_000;
/** In these a launch is under way. */
const RUNNING: ReadonlySet<string> = new Set(['moderating', 'sending', 'paused']);

/** Gives exit code 1 where the mailing was stopped or sent back. */
export async function runMailingStart(args: readonly string[], context: CommandContext): Promise<number> {
  const { places, options } = readArguments('mailing start', args);
  const [id = ''] = places;
  if (!/^[\w-]+$/.test(id)) throw new Failure('REQUEST_INVALID', `"${id}" is not the id of a mailing.`);
  const api = connectServer(options, context.environment);
  const progress = createProgress(context.stdout, systemClock, options.json);
  const started: Mailing = await api.post(`/mailings/${id}/start`);
  progress.say(`"${started.name}": ${stateOf(started)}`);
  // A trigger mailing goes on until it is stopped.
  const follows = !options['no-wait'] && RUNNING.has(started.state) && started.type !== 'trigger';
  if (follows) await follow(api, id, started, progress);
  const mailing: Mailing = follows ? await api.get(`/mailings/${id}`) : started;
  progress.end();
  if (follows) progress.say(lineOf(mailing));
  if (options.json) context.stdout.write(`${JSON.stringify(mailing, null, 2)}\n`);
  return ['draft', 'stopped'].includes(mailing.state) ? 1 : 0;
}

/** Shows how the mailing goes until nothing of it goes on. */
async function follow(api: ServerApi, id: string, started: Mailing, shown: Shown): Promise<void> {
  let before = started.state;
  for (;;) {
    for await (const { name, value } of api.events(`/mailings/${id}/progress`)) {
      const progress = value as Progress;
      if (name === 'end') return;
      if (progress.state !== before) shown.say(stateOf(progress));
      else shown.show(lineOf(progress));
      before = progress.state;
    }
    await sleep(AGAIN_MS);
  }
}

function stateOf({ state, reason, schedule }: Progress & Partial<Mailing>): string {
  if (state === 'scheduled') return `scheduled; it starts by itself at ${schedule?.startAt ?? 'its time'}`;
  return reason === null ? state : `${state} (${reason})`;
}

/** `sending: 412 of 1000 messages (sent 400, failed 12), 210.5 per second, about 3 s left`. */
function lineOf(mailing: Progress): string {
  const { expected, counts, pace } = mailing;
  const states = Object.entries(counts).map(([state, count]) => `${state} ${count}`);
  const left = pace.remainingSeconds === null ? '' : `, about ${pace.remainingSeconds} s left`;
  return `${stateOf(mailing)}: ${expected - pace.remaining} of ${expected} messages${
    states.length === 0 ? '' : ` (${states.join(', ')})`
  }, ${pace.perSecond} per second${left}`;
}
