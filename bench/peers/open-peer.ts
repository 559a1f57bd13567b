/** A peer in a process of its own, on a store of its own. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Closing } from './closing.ts';
import type { Peer } from './contestants.ts';
import { type Contestant, expectCount, until, WARM_UP } from './measure.ts';
import type { Opening, Question } from './questions.ts';
import { openDatabase, openRedis } from './stores.ts';

const MAIN = fileURLToPath(new URL('queues/main.ts', import.meta.url));

/** Which peers write an event row per job: those on PostgreSQL, all, or none. */
export type EventChoice = 'sql' | 'all' | 'none';

/** Where the values of a person are: looked up when a job is handled, or in the job. */
export type ValueChoice = 'database' | 'job';

/** Opens the peer and has it do the warm-up. */
export async function openPeer(
  peer: Peer,
  providerPort: string,
  choice: { readonly event: EventChoice; readonly values: ValueChoice },
  messages: number,
  closing: Closing,
): Promise<Contestant> {
  const onPostgres = peer.store === 'postgres';
  const store = await (onPostgres
    ? openDatabase()
    : openRedis(peer.store === 'redis always' ? 'always' : 'everysec'));
  closing.later(store.drop);
  const withEvents = choice.event === 'all' || (choice.event === 'sql' && onPostgres);
  const withPeople = choice.values === 'database';
  const stores = [store];
  if ((withEvents || withPeople) && !onPostgres) {
    const database = await openDatabase();
    closing.later(database.drop);
    stores.push(database);
  }
  const databaseUrl = stores.at(-1)?.url ?? store.url;
  const { requests = 64, ...settings } = peer.settings;
  const { ask, pid, end } = await startPeer({
    library: peer.library,
    storeUrl: store.url,
    providerUrl: `http://127.0.0.1:${providerPort}`,
    requests: Number(requests),
    settings,
    eventsUrl: withEvents ? databaseUrl : undefined,
    people: withPeople ? { url: databaseUrl, count: WARM_UP + messages } : undefined,
  });
  closing.later(end);

  await ask({ ask: 'enqueue', from: 0, to: WARM_UP });
  await ask({ ask: 'start' });
  await until(async () => (await ask({ ask: 'unfinished' })) === 0);
  await ask({ ask: 'pause' });
  return {
    pid,
    storePids: async () => (await Promise.all(stores.map((each) => each.pids()))).flat(),
    enqueue: async (from, to) => {
      await ask({ ask: 'enqueue', from, to });
    },
    begin: async () => {
      await ask({ ask: 'start' });
    },
    unfinished: () => ask({ ask: 'unfinished' }),
    verify: async (count) => {
      expectCount('jobs completed', await ask({ ask: 'completed' }), count);
      if (withEvents) expectCount('event rows', await ask({ ask: 'events' }), count);
      await ask({ ask: 'close' });
    },
  };
}

interface PeerProcess {
  readonly pid: number | undefined;
  readonly ask: (question: Question) => Promise<number>;
  readonly end: () => Promise<void>;
}

async function startPeer(opening: Opening): Promise<PeerProcess> {
  const child = fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // One question at a time, so the next answer is the answer to the last question.
  const say = (words: Opening | Question) =>
    new Promise<number>((resolve, reject) => {
      const hear = (value: unknown) => {
        child.off('exit', lose);
        resolve(Number(value));
      };
      const lose = (code: number | null) => {
        child.off('message', hear);
        reject(new Error(`The process of ${opening.library} ended with ${code}.`));
      };
      child.once('message', hear);
      child.once('exit', lose);
      child.send(words, (error) => error !== null && reject(error));
    });
  const end = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  };
  try {
    await say(opening);
  } catch (error) {
    await end();
    throw error;
  }
  return { pid: child.pid, ask: say, end };
}
