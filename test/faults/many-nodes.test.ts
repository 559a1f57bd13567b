/**
 * The real program in four processes on one PostgreSQL, killed, cut off and frozen while it sends. FAULTS_SEED gives
 * other orders; `npm run faults` does many runs.
 */
import { afterAll, afterEach, expect, it } from 'vitest';
import { STATE_CODES } from '../../src/storage/states.ts';
import { serverReachable } from '../support/database.ts';
import { postgresPrograms } from '../support/own-postgres.ts';
import { seeded } from '../support/seeded.ts';
import { compareBooks, settled } from './books.ts';
import { SAFETIES } from './channels.ts';
import { restartNode } from './kinds.ts';
import { prepareSending, sendMessages } from './load.ts';
import { runScenario } from './scenario.ts';
import { createTally } from './tally.ts';
import { CALM, endWorlds, NODES, openWorld } from './world.ts';

const programs = postgresPrograms();
const reachable = programs !== undefined || (await serverReachable());
const seed = Number(process.env.FAULTS_SEED ?? 11);
const tally = createTally();
afterEach(endWorlds);
afterAll(() => {
  if (reachable) console.log(tally.line());
});

it.skipIf(programs === undefined)(
  `ends with equal books after a database that crashed and was restarted, seed ${seed} (needs the programs of PostgreSQL)`,
  { timeout: 600_000 },
  async () => {
    const kinds = ['crash database', 'restart database', 'freeze and then cut'];
    expect(await runScenario({ seed, faults: 3, kinds, misbehaved: 12, programs, tally })).toEqual([]);
  },
);

it.skipIf(!reachable)(
  `ends with equal books after nodes that died and connections that broke, seed ${seed + 1}`,
  { timeout: 600_000 },
  async () => {
    const kinds = [
      'kill both workers and the api',
      'kill listener',
      'kill worker',
      'terminate all backends',
      'cut connections of one node',
      'freeze connections of one node',
    ];
    const scenario = {
      seed: seed + 1,
      faults: kinds.length,
      kinds,
      misbehaved: 12,
      programs,
      tally,
    };
    expect(await runScenario(scenario)).toEqual([]);
  },
);

it.skipIf(!reachable)(
  'restarts node by node while it sends: nothing is lost, repeated or unknown',
  { timeout: 600_000 },
  async () => {
    const world = await openWorld(programs, CALM);
    try {
      for (const safety of SAFETIES) {
        await world.provider.scriptRound(`/${safety}/send`, [{ delayMs: 5 }, { delayMs: 60 }]);
      }
      await prepareSending(world);
      let goesOn = true;
      const sending = sendMessages(world, seeded(seed), () => goesOn);
      sending.catch(() => {});
      for (const name of NODES) {
        await restartNode(world, name);
        tally.fault('rolling restart');
      }
      goesOn = false;
      const accepted = await sending;
      await settled(world, 180_000);
      const unknown = await world.books<{ id: string; reason: string }[]>`
        select id, reason from message where state = ${STATE_CODES.unknown}`;
      const references = (await world.provider.log()).map((each) => each.reference);
      const ids = [...accepted.safe, ...accepted.unsafe];
      expect(await compareBooks(world, accepted)).toEqual([]);
      expect([...unknown]).toEqual([]);
      expect(references.toSorted()).toEqual(ids.toSorted());
      expect(ids.length).toBeGreaterThan(0);
      tally.run();
    } finally {
      await world.end();
    }
  },
);
