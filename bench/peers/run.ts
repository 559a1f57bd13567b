/**
 * `npm run bench:peers`: the same sending as a job of graphile-worker, pg-boss and BullMQ beside ours, in one run, taking
 * turns. Every count is verified; exit code 1 where one is wrong. docs/performance.md says how to read what it prints.
 *
 * Options: --messages N (60000), --rounds N (3), --only NAME[;NAME…] (all), --event sql|all|none (sql),
 * --values database|job (database), --settings JSON (instead of those in contestants.ts, for what --only names)
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startProcess } from '../../demo/start-process.ts';
import { startOptions } from '../world.ts';
import { type Closing, openClosing } from './closing.ts';
import { OURS, PEERS, type Peer } from './contestants.ts';
import { type Figures, measure } from './measure.ts';
import { openOurs } from './open-ours.ts';
import { type EventChoice, openPeer, type ValueChoice } from './open-peer.ts';
import { hasRedis } from './stores.ts';
import { printSettings, printTable, rate } from './table.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

interface Options {
  readonly messages: number;
  readonly rounds: number;
  readonly ours: boolean;
  readonly peers: readonly Peer[];
  readonly event: EventChoice;
  readonly values: ValueChoice;
}

async function main(options: Options, closing: Closing): Promise<void> {
  install();
  // All of them run with the memory settings that `npm start` gives to ours.
  process.env.NODE_OPTIONS = await startOptions();
  const { messages, rounds, event, values } = options;
  console.log(
    `${rate(messages)} messages, ${rounds} rounds, event rows: ${event}, values of people: ${values}; ${availableParallelism()} × ${cpus()[0]?.model}, Node ${process.versions.node}\n`,
  );
  const measured = new Map<string, Figures[]>();
  for (let round = 1; round <= rounds; round += 1) {
    const measureOne = async (name: string, open: (port: string) => ReturnType<typeof openOurs>) => {
      // A fresh provider each time: nobody inherits another's connections.
      const provider = await startProcess(join(HERE, '../provider.ts'), [], {}, /^(\d+)$/m);
      closing.later(provider.stop);
      const figures = await measure(await open(provider.match), provider, messages);
      await closing.all();
      measured.set(name, [...(measured.get(name) ?? []), figures]);
      console.log(
        `round ${round}  ${name}: enqueued ${rate(figures.enqueuedPerSecond)}/s, done ${rate(figures.donePerSecond)}/s`,
      );
    };
    if (options.ours) await measureOne(OURS, (port) => openOurs(port, messages, closing));
    for (const peer of options.peers)
      await measureOne(peer.name, (port) => openPeer(peer, port, { event, values }, messages, closing));
  }
  console.log(`\n${printTable(measured)}\n\nsettings`);
  for (const { name, settings, why } of options.peers)
    console.log(`  ${name}: ${printSettings(settings)}. ${why}`);
}

/** The peers' packages are not the product's: they come when they are first needed. */
function install(): void {
  if (existsSync(join(HERE, 'node_modules/.package-lock.json'))) return;
  console.log('npm ci in bench/peers …');
  const { status } = spawnSync('npm', ['ci'], {
    cwd: HERE,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('npm ci in bench/peers failed.');
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '60000' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
      event: { type: 'string', default: 'sql' },
      values: { type: 'string', default: 'database' },
      settings: { type: 'string' },
    },
  });
  const names = [OURS, ...PEERS.map((peer) => peer.name)];
  const only = values.only?.split(';').map((name) => name.trim()) ?? names;
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new Error(`--only: there is no "${unknown}". There are: ${names.join('; ')}.`);
  const redis = hasRedis();
  const chosen = PEERS.filter((peer) => only.includes(peer.name));
  const peers = chosen.filter((peer) => redis || peer.store === 'postgres');
  if (peers.length < chosen.length)
    console.log('redis-server is not on this machine: BullMQ on Redis is left out.');
  const { settings } = values;
  return {
    messages: wholeNumber('--messages', values.messages),
    rounds: wholeNumber('--rounds', values.rounds),
    ours: only.includes(OURS),
    peers:
      settings === undefined ? peers : peers.map((peer) => ({ ...peer, settings: JSON.parse(settings) })),
    event: oneOf('--event', values.event, ['sql', 'all', 'none']),
    values: oneOf('--values', values.values, ['database', 'job']),
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${name} must be a whole number above 0, not "${text}".`);
  return Number(text);
}

function oneOf<Choice extends string>(name: string, text: string, choices: readonly Choice[]): Choice {
  const chosen = choices.find((choice) => choice === text);
  if (chosen === undefined) throw new Error(`${name} must be ${choices.join(' or ')}, not "${text}".`);
  return chosen;
}

const closing = openClosing();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // What runs fails as its processes and stores go; a second Ctrl-C ends us at once.
    interrupted = true;
    process.exitCode = 130;
    void closing.stop();
  });
}
try {
  await main(readOptions(), closing);
} catch (error) {
  if (!interrupted) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
} finally {
  await closing.all();
}
