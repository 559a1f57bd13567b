/** Settling in bad weather: a database that fails for a while, and a run that it refuses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/flows/runtime.ts';
import type { Effects } from '../../../src/flows/settlement/effects.ts';
import { endMessage } from '../../../src/flows/settlement/end-message.ts';
import { createSettler } from '../../../src/flows/settlement/settler.ts';
import { type ClaimedRow, claim, enterNode, FIRST_ID, PIPELINE_CODES } from '../../../src/storage/claim.ts';
import type { Database } from '../../../src/storage/database.ts';
import { STATE_CODES } from '../../../src/storage/states.ts';
import { type Corridor, openCorridor } from '../../support/corridor.ts';
import { databaseKinds } from '../../support/database.ts';
import { messagePipeline, person, smsChannel } from '../../support/sms-channel.ts';

const kinds = await databaseKinds();

describe.each(kinds)('settling on the %s database', (kind) => {
  let corridor: Corridor;
  let node = 0;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.addChannel(smsChannel('settled', messagePipeline()));
    await corridor.addSender('settled');
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    await corridor.send('settled', person('first'));
    await corridor.idle();
    node = await enterNode(corridor.database, 'settler');
    // The worker leaves the lane to the test.
    await corridor.database.query('update lane set paused_at = now()');
    await corridor.pass(2);
  });
  afterAll(() => corridor.end());

  const claimed = async (count: number) => {
    for (let index = 0; index < count; index += 1) await corridor.send('settled', person(`p-${index}`));
    const [lane] = await corridor.database.query<{ id: number }>(
      'select id from lane where channel_id > 0 order by id limit 1',
    );
    const share = { laneId: lane?.id ?? 0, afterDueMs: 0, afterId: FIRST_ID, share: count };
    const rows = await claim(corridor.database, node, corridor.runtime.clock.now(), [share]);
    expect(rows).toHaveLength(count);
    return rows.map((row) => row.id);
  };
  const ended = (id: string, timeMs: number): Effects => ({
    done: [id],
    messages: [
      {
        source: id,
        id,
        launchId: null,
        attempt: 1,
        state: STATE_CODES.delivered,
        reason: null,
        externalId: `x-${id}`,
      },
    ],
    events: [
      {
        source: id,
        id: corridor.runtime.ids.next(),
        accountId: corridor.accountId,
        messageId: id,
        channelId: 10_000,
        launchId: null,
        eventId: null,
        type: 'deliv',
        attempt: 1,
        timeMs,
        externalId: null,
        code: null,
        text: null,
        value: null,
        dedupeKey: null,
      },
    ],
  });
  const statesOf = async (ids: readonly string[]) =>
    (
      await corridor.database.query<{
        id: string;
        state: number;
        reason: string | null;
        external_id: string | null;
      }>('select id, state, reason, external_id from message where id = any($1::uuid[]) order by id', [ids])
    ).map((row) => [row.state, row.reason, row.external_id === `x-${row.id}`]);
  const owned = async () =>
    (
      await corridor.database.query<{ n: number }>(
        'select count(*)::int as n from waiting where owner = $1',
        [node],
      )
    )[0]?.n;

  it('a run that the database refuses costs no other, and ends visibly', async () => {
    const ids = await claimed(9);
    const settler = createSettler(corridor.runtime, () => node);
    const nowMs = corridor.runtime.clock.now();
    await Promise.all(ids.map((id, index) => settler.add(ended(id, index === 4 ? 1e300 : nowMs))));
    const good = [STATE_CODES.delivered, null, true];
    expect(await statesOf(ids)).toEqual(
      ids.map((_, index) => (index === 4 ? [good[0], 'BUG', false] : good)),
    );
    expect(await owned()).toBe(0);
    expect(corridor.logged()).toContain('a run cannot be kept');
  });

  it('a database that fails is asked again, however long it takes', async () => {
    const ids = await claimed(3);
    let failures = 6;
    const query: Database['query'] = (text, values) => {
      failures -= 1;
      if (failures < 0) return corridor.database.query(text, values);
      return Promise.reject(Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' }));
    };
    const runtime: Runtime = { ...corridor.runtime, database: { ...corridor.database, query } };
    const settler = createSettler(runtime, () => node);
    const nowMs = corridor.runtime.clock.now();
    await Promise.all(ids.map((id) => settler.add(ended(id, nowMs))));
    expect(await statesOf(ids)).toEqual(ids.map(() => [STATE_CODES.delivered, null, true]));
    expect(await owned()).toBe(0);
  });

  it('a verdict on a moderation that waited for long is due now, not when that was: lanes are not searched there', async () => {
    const [id = ''] = await claimed(1);
    const settler = createSettler(corridor.runtime, () => node);
    const [row] = await corridor.database.query<{ lane_id: number }>(
      'select lane_id from waiting where id = $1',
      [id],
    );
    const nowMs = corridor.runtime.clock.now();
    const moderated = {
      ...{ id, message_id: id, pipeline: PIPELINE_CODES.moderate, channel_version_id: 1 },
      ...{
        account_id: corridor.accountId,
        lane_id: row?.lane_id,
        due: nowMs - 3_600_000,
        state: 0,
        attempt: 1,
      },
    };
    const { ids } = corridor.runtime;
    await settler.add(
      endMessage(moderated as ClaimedRow, 'failed', 'DOCUMENT_INVALID', 'It cannot run.', ids),
    );
    const verdicts = await corridor.database.query<{ due: number }>(
      'select (extract(epoch from due_at) * 1000)::float8 as due from waiting where pipeline = $1',
      [PIPELINE_CODES.moderated],
    );
    expect(verdicts.map(({ due }) => due >= nowMs)).toEqual([true]);
  });
});
