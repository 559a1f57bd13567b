/**
 * `npm run bench:run`: the processor time of one run, from the claimed row to what is to be settled, without a database
 * and without a network: what surrounds a message is at hand, and the provider's answer is there at once.
 *
 * Options: --messages N (20000) in a run, --runs N (25)
 */
import { parseArgs } from 'node:util';
import { createVault } from '../src/access/vault.ts';
import { checkChannel } from '../src/channel/check.ts';
import { compileChannel } from '../src/engine/compile-channel.ts';
import type { Directory } from '../src/flows/directory/directory.ts';
import type { KnownChannel } from '../src/flows/directory/known-channel.ts';
import { type CompiledContent, compileContent } from '../src/flows/directory/render-content.ts';
import { compileListener } from '../src/flows/listener/compile-listener.ts';
import { createOpenOutside } from '../src/flows/run/open-outside.ts';
import { createPerform } from '../src/flows/run/perform.ts';
import type { Runtime } from '../src/flows/runtime.ts';
import { createStages } from '../src/flows/stages.ts';
import { createIds } from '../src/ids.ts';
import { authorize } from '../src/outside/authorize.ts';
import { planPipeOf } from '../src/pipes/catalog.ts';
import { type ClaimedRow, PIPELINE_CODES } from '../src/storage/claim.ts';
import { systemClock } from '../src/time.ts';
import { benchChannel } from './channel.ts';
import { messageOf, TEXT } from './peers/message.ts';
import { median } from './world.ts';

const AT_ONCE = 128;
const TOKEN = 'bench-secret-token';

function never(): never {
  throw new Error('A run of this channel asks for nothing outside but HTTP.');
}

function readChannel(): KnownChannel {
  const text = JSON.stringify(benchChannel('1'));
  const { document } = checkChannel({ file: 'bench', text, kind: 'custom', pipelines: () => undefined });
  if (document === undefined) throw new Error('the channel is not sound');
  return Object.freeze({
    ...compileChannel(document, planPipeOf),
    versionId: 1,
    listener: compileListener(document.listener),
  });
}

/** What a worker has in memory of channel, sender, resource and account. */
function directoryOf(channel: KnownChannel): Directory {
  const opened = (values: object, secrets: readonly string[] = []) =>
    Promise.resolve({ row: {}, values, secrets });
  const contents = new Map<string, CompiledContent>();
  const known: Partial<Record<keyof Directory, unknown>> = {
    version: () => Promise.resolve(channel),
    knownVersion: () => channel,
    sender: () => opened({ sid: 'main', name: 'Bench', token: TOKEN }, [TOKEN]),
    resource: () => opened({ sid: 'brand', name: 'Brand' }),
    account: () => opened({ name: 'Bench' }),
    content: (_: unknown, values: Readonly<Record<string, unknown>>) => {
      const key = JSON.stringify(values);
      const found = contents.get(key) ?? compileContent(channel.document, values);
      contents.set(key, found);
      return found;
    },
  };
  return known as Directory;
}

function rowsOf(count: number): ClaimedRow[] {
  const ids = createIds(systemClock);
  const [accountId, senderId, resourceId] = [ids.next(), ids.next(), ids.next()];
  return Array.from({ length: count }, (_, number) => {
    const id = ids.next();
    const { phone, customer, attributes } = messageOf(number);
    return {
      id,
      account_id: accountId,
      lane_id: 1,
      due: 0,
      pipeline: PIPELINE_CODES.message,
      pipe: null,
      tries: 0,
      message_id: id,
      channel_version_id: 1,
      payload: null,
      launch_id: null,
      resource_id: resourceId,
      sender_id: senderId,
      state: 0,
      attempt: 1,
      class: 'transactional',
      content: { values: { text: TEXT }, attributes },
      expires: null,
      profile_external_id: `p-${number}`,
      profile: customer,
      subscription: { phone },
      subscription_status: 'subscribed',
    };
  });
}

async function main(messages: number, runs: number): Promise<void> {
  // All that is asked of it is what guards the account: nothing.
  const unguarded = async () => [{ rules: null, suppresses: false }];
  const runtime = {
    database: { query: unguarded },
    clock: systemClock,
    ids: createIds(systemClock),
    random: Math.random,
    vault: createVault([Buffer.alloc(32, 7)]),
    log: { debug: never, info: never, warn: never, error: never },
    stages: createStages(),
  } as unknown as Runtime;
  let answered = 0;
  const send = () => {
    answered += 1;
    const body = Buffer.from(`{"id":"p-${answered}","status":"accepted"}`);
    return Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, body });
  };
  const holds = { of: () => ({ untilMs: 0 }), note: never, refresh: never };
  const modules = { email_smtp: never, sms_smpp: never, push_web: never };
  const limiter = { within: never, hold: never };
  const open = createOpenOutside(runtime, limiter as never, holds, {
    send,
    authorize,
    query: never,
    modules: modules as never,
  });
  const perform = createPerform(runtime, directoryOf(readChannel()), open, {
    trailSample: 100,
    laneOpenForMs: () => 0,
  });
  const rows = rowsOf(2_000);
  const micros: number[] = [];
  // The first time is for the compiler.
  for (let run = 0; run <= runs; run += 1) {
    let events = 0;
    let done = 0;
    const before = process.cpuUsage();
    while (done < messages) {
      const batch = Array.from({ length: AT_ONCE }, (_, at) => rows[(done + at) % rows.length] as ClaimedRow);
      for (const parts of await Promise.all(batch.map(perform.row))) events += parts.events?.length ?? 0;
      done += AT_ONCE;
    }
    const { user, system } = process.cpuUsage(before);
    if (events !== done) throw new Error(`${events} events of ${done} messages`);
    if (run > 0) micros.push((user + system) / done);
  }
  console.log(
    `µs of processor a run: median ${median(micros).toFixed(2)}, fastest ${Math.min(...micros).toFixed(2)} (${runs} times ${messages})`,
  );
}

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '25' },
  },
});
await main(Number(values.messages), Number(values.runs));
