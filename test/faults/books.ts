/** The database against the provider's log: whatever happened, both must tell the same. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type MessageState, stateName } from '../../src/storage/states.ts';
import { channelOf, SAFETIES, type Safety } from './channels.ts';
import type { Accepted } from './load.ts';
import type { World } from './world.ts';

const FINAL: ReadonlySet<MessageState> = new Set(['sent', 'delivered', 'unknown', 'failed']);
const SHOWN = 5;

export interface Kept {
  readonly id: string;
  readonly state: MessageState;
  readonly reason: string | null;
  readonly sends: number;
  readonly delivered: number;
}

/** Resolves when nothing waits and no report is left; throws with what is left after the time. */
export async function settled(world: World, limitMs: number): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    const { left } = await world.provider.reports();
    const [row] = await world.books<{ waiting: number }[]>`select count(*)::int as waiting from waiting`;
    if (left === 0 && row?.waiting === 0) return;
    if (performance.now() - startMs > limitMs) {
      const rows =
        await world.books`select w.id, w.owner, w.due_at, w.pipeline, w.tries, l.key, l.breaker, l.probe_at
        from waiting w join lane l on l.id = w.lane_id limit ${SHOWN}`;
      const nodes = await world.books`select * from node`;
      throw new Error(
        `After ${limitMs / 1_000} s ${row?.waiting} rows still wait and ${left} reports are left. Rows: ${JSON.stringify(rows)} Nodes: ${JSON.stringify(nodes)} Now: ${new Date().toISOString()}`,
      );
    }
    await sleep(50);
  }
}

/** What is wrong in the database, as sentences; nothing is good. */
export async function compareBooks(world: World, accepted: Accepted): Promise<string[]> {
  const wrong: string[] = [];
  const log = await world.provider.log();
  const { answered } = await world.provider.reports();
  const reported = new Set(answered.map((key) => key.split('/')[0] ?? ''));
  for (const safety of SAFETIES) {
    const requests = log.filter((each) => each.path === `/${safety}/send`);
    const took = countBy(requests.filter((each) => each.took).map((each) => each.reference));
    const asked = countBy(requests.map((each) => each.reference));
    const kept = new Map((await keptOf(world, safety)).map((row) => [row.id, row]));
    for (const [what, ids] of findings(accepted[safety], kept, took, asked, reported, safety)) {
      if (ids.length > 0) wrong.push(`${safety}: ${what}: ${ids.length} (${ids.slice(0, SHOWN).join(', ')})`);
    }
  }
  return wrong;
}

async function keptOf(world: World, safety: Safety): Promise<Kept[]> {
  const rows = await world.books<
    { id: string; state: number; reason: string | null; sends: number; delivered: number }[]
  >`select m.id, m.state, m.reason,
      (select count(*) from event e where e.message_id = m.id and e.type = 'send')::int as sends,
      (select count(*) from event e where e.message_id = m.id and e.type = 'deliv')::int as delivered
    from message m join channel c on c.id = m.channel_id where c.sid = ${channelOf(safety)}`;
  return rows.map((row) => ({ ...row, state: stateName(row.state) }));
}

function findings(
  accepted: readonly string[],
  kept: ReadonlyMap<string, Kept>,
  took: ReadonlyMap<string, number>,
  asked: ReadonlyMap<string, number>,
  reported: ReadonlySet<string>,
  safety: Safety,
): [what: string, ids: string[]][] {
  const known = new Set(accepted);
  const rows = [...kept.values()];
  const where = (holds: (row: Kept) => boolean) =>
    rows.filter(holds).map((row) => `${row.id} ${row.state} ${row.reason ?? ''}`);
  const takenOf = (row: Kept) => took.get(row.id) ?? 0;
  const isSent = (row: Kept) => row.state === 'sent' || row.state === 'delivered';
  return [
    ['accepted but not in the database', accepted.filter((id) => !kept.has(id))],
    ['accepted twice', accepted.filter((id, place) => accepted.indexOf(id) !== place)],
    ['in the database but never accepted', [...kept.keys()].filter((id) => !known.has(id))],
    ['at the provider but not in the database', [...asked.keys()].filter((id) => !kept.has(id))],
    ['without a final state', where((row) => !FINAL.has(row.state))],
    ['sent, but the provider has it not', where((row) => isSent(row) && takenOf(row) === 0)],
    ['failed, but the provider has it', where((row) => row.state === 'failed' && takenOf(row) > 0)],
    ['with more than one send event', where((row) => row.sends > 1)],
    ['sent by its answer without a send event', where((row) => row.state === 'sent' && row.sends !== 1)],
    [
      'reported and answered, but not stored once',
      where((row) => row.delivered !== (reported.has(row.id) ? 1 : 0)),
    ],
    ['reported, but not delivered', where((row) => reported.has(row.id) && row.state !== 'delivered')],
    ...(safety === 'safe'
      ? ([['unknown, although safe', where((row) => row.state === 'unknown')]] as [string, string[]][])
      : ([['served twice, although unsafe', where((row) => takenOf(row) > 1)]] as [string, string[]][])),
  ];
}

function countBy(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
