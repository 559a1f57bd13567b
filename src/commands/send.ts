/** `sluiceway send`: one message through a running server; with `--wait` it says how the message went. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../errors.ts';
import { systemClock } from '../time.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { createProgress } from './progress.ts';
import { readJsonArgument } from './read-json.ts';
import { connectServer, type ServerApi } from './server-api.ts';

interface Message {
  readonly id: string;
  readonly state: string;
  readonly reason?: string | null;
  readonly events?: readonly { readonly sid: string; readonly message?: string | null }[];
}

/** The message has not left yet. */
const OPEN: ReadonlySet<string> = new Set(['accepted', 'queued', 'sending']);
/** It will not arrive, or nobody knows. */
const LOST: ReadonlySet<string> = new Set([
  'unknown',
  'expired',
  'stopped',
  'suppressed',
  'failed',
  'undelivered',
  'hard_bounced',
]);
const POLL_MS = 200;

/** With `--wait`: exit code 1 where the message did not get through in time. */
export async function runSend(args: readonly string[], context: CommandContext): Promise<number> {
  const { options } = readArguments('send', args);
  const { channel, sender, resource, profile, attributes, class: messageClass } = options;
  const waitSeconds = secondsOf(options.wait);
  const request = {
    channel,
    ...(await contentOf(options)),
    ...(sender !== undefined && { sender }),
    ...(resource !== undefined && { resource }),
    ...(profile !== undefined && { profile: await valueOrName(profile) }),
    ...(attributes !== undefined && { attributes: await readJsonArgument(attributes) }),
    ...(messageClass !== undefined && { class: messageClass }),
  };
  const key = options['idempotency-key'];
  const api = connectServer(options, context.environment);
  const accepted: Message = await api.post(
    '/messages',
    request,
    key === undefined ? {} : { 'idempotency-key': key },
  );
  const progress = createProgress(context.stdout, systemClock, options.json);
  progress.say(`message ${accepted.id}: ${accepted.state}`);
  const message =
    waitSeconds === undefined ? accepted : await waitFor(api, accepted, waitSeconds, progress.say);
  if (options.json) context.stdout.write(`${JSON.stringify(message, null, 2)}\n`);
  return waitSeconds !== undefined && (OPEN.has(message.state) || LOST.has(message.state)) ? 1 : 0;
}

/** Says each state the message comes to; gives it as it is when it is through or the time is over. */
async function waitFor(
  api: ServerApi,
  accepted: Message,
  waitSeconds: number,
  say: (line: string) => void,
): Promise<Message> {
  const untilMs = systemClock.now() + waitSeconds * 1_000;
  let before = accepted.state;
  while (true) {
    const message: Message = await api.get(`/messages/${accepted.id}`);
    if (message.state !== before) {
      const why = [message.reason, message.events?.at(-1)?.message].filter(
        (each) => typeof each === 'string',
      );
      say(`message ${message.id}: ${message.state}${why.length === 0 ? '' : ` (${why.join(': ')})`}`);
    }
    before = message.state;
    if (!OPEN.has(message.state)) return message;
    if (systemClock.now() >= untilMs) {
      say(
        `It still waits after ${waitSeconds} s and goes on by itself; look with GET /api/v1/messages/${message.id}.`,
      );
      return message;
    }
    await sleep(POLL_MS);
  }
}

async function contentOf({
  template,
  'content-item': contentItemId,
}: {
  readonly template: string | undefined;
  readonly 'content-item': string | undefined;
}): Promise<object> {
  if (template !== undefined && contentItemId === undefined) return { template: await valueOrName(template) };
  if (template === undefined && contentItemId !== undefined) return { contentItemId };
  throw new Failure('REQUEST_INVALID', 'Give the content: either --template or --content-item.');
}

function secondsOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const seconds = Number(given);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new Failure('REQUEST_INVALID', `--wait takes a number of seconds, not "${given}".`);
}

/** JSON or a file that ends in .json stands for its value, anything else for a name that the server knows. */
async function valueOrName(given: string): Promise<unknown> {
  const isValue = given.trimStart().startsWith('{') || given.endsWith('.json');
  return isValue ? readJsonArgument(given) : given;
}
