/** Lanes: see what waits where, pause and resume. */
import { Failure } from '../../errors.ts';
import { logOperatorEvents } from '../../flows/log-operator-events.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { hasAudit, writeAudit } from '../../storage/audit.ts';
import type { Sql } from '../../storage/database.ts';
import { pauseLane, resetLane, showLanes } from '../../storage/lanes.ts';
import { type Route, route } from '../route.ts';
import { anyObject, objectSchema } from '../schemas.ts';

/** Routes of lanes. `wakeLanes` gets the lanes that have work. */
export function laneRoutes(runtime: Runtime, wakeLanes: (laneIds: readonly number[]) => void): Route[] {
  const { database, clock } = runtime;
  const set = (verb: 'pause' | 'resume' | 'reset', summary: string): Route =>
    route({
      method: 'POST',
      path: `/lanes/{id}/${verb}`,
      action: 'lanes.write',
      tag: 'lanes',
      summary,
      answers: { 204: { description: 'Done.' } },
      run: async ({ caller, params, ids }) => {
        const id = Number(params.id);
        const nowMs = clock.now();
        const auditId = ids.next();
        const emitted = await database.transaction(async (tx) => {
          const isId = Number.isInteger(id) && id < 2 ** 31;
          const changed = isId ? await change(tx, verb, caller.accountId, id, nowMs) : undefined;
          // A lane that this very request has reset before, and whose answer was lost, is not to be reset any more.
          if (changed === undefined) return (await hasAudit(tx, auditId)) ? [] : undefined;
          await writeAudit(tx, {
            id: auditId,
            accountId: caller.accountId,
            tokenId: caller.tokenId,
            action: `lanes.${verb}`,
            subject: String(id),
            nowMs,
          });
          return changed;
        });
        if (emitted === undefined)
          throw new Failure(
            'NOT_FOUND',
            verb === 'reset'
              ? 'There is no lane with this id in your account whose breaker is open or which rests.'
              : 'There is no lane with this id in your account.',
          );
        logOperatorEvents(runtime.log, emitted);
        wakeLanes([]);
        return { status: 204 };
      },
    });
  const change = (
    tx: Sql,
    verb: 'pause' | 'resume' | 'reset',
    accountId: string,
    id: number,
    nowMs: number,
  ) => (verb === 'reset' ? resetLane(tx, accountId, id, nowMs) : pauseLane(tx, accountId, id, verb, nowMs));

  return [
    route({
      method: 'GET',
      path: '/lanes',
      action: 'read',
      tag: 'lanes',
      summary: 'The lanes of the account with what waits in them.',
      answers: {
        200: {
          description: 'All lanes.',
          schema: objectSchema({ data: { type: 'array', items: anyObject } }),
        },
      },
      run: async ({ caller }) => ({
        status: 200,
        body: {
          data: (await showLanes(database, caller.accountId, clock.now())).map((lane) => ({
            id: lane.id,
            key: lane.key,
            channel: lane.channel,
            sender: lane.sender,
            state: lane.paused_at === null ? 'active' : 'paused',
            breaker: lane.breaker,
            openedAt: lane.opened_at,
            probeAt: lane.probe_at,
            heldUntil: lane.held_until,
            fault: lane.fault,
            pausedAt: lane.paused_at,
            waiting: lane.waiting,
            due: lane.due,
            oldest: lane.oldest,
          })),
        },
      }),
    }),
    set('pause', 'Nothing of this lane is sent until it is resumed.'),
    set('resume', 'Go on with a paused lane.'),
    set(
      'reset',
      'Close the breaker of a lane by hand, or end its rest: its provider is tried again at once.',
    ),
  ];
}
