/** Callers of the API: each call has a key and is repeated with it until it is answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TOKEN } from '../support/engine.ts';
import type { Seeded } from '../support/seeded.ts';
import { channelOf, SAFETIES, type Safety } from './channels.ts';
import type { World } from './world.ts';

const CALLERS = 4;
const MOST_IN_CALL = 8;
const PATIENCE_MS = 10_000;
const PAUSE_MS = 100;

/** Ids of accepted messages, by whether their channel may repeat. */
export type Accepted = Readonly<Record<Safety, readonly string[]>>;

/** Makes the senders and the resource. */
export async function prepareSending(world: World): Promise<void> {
  const { api } = await world.node('api');
  await api.post('/resources', { sid: 'shop', name: 'Shop', channels: {} });
  for (const safety of SAFETIES) {
    await api.post('/senders', {
      sid: 'main',
      name: 'Main',
      channel: channelOf(safety),
      fields: { token: 'secret-token', base_url: `${world.provider.url}/${safety}` },
    });
  }
}

/** Sends messages as long as `goesOn`; resolves when every call was answered. */
export async function sendMessages(world: World, random: Seeded, goesOn: () => boolean): Promise<Accepted> {
  const accepted: Record<Safety, string[]> = { safe: [], unsafe: [] };
  let calls = 0;
  const caller = async () => {
    while (goesOn()) {
      calls += 1;
      const safety = random.pick(SAFETIES);
      const messages = Array.from({ length: random.whole(1, MOST_IN_CALL) }, (_, index) => ({
        channel: channelOf(safety),
        resource: 'shop',
        profile: {
          externalId: `p-${calls}-${index}`,
          fields: {},
          subscription: { fields: { phone: `+49151${String(calls * 10 + index).padStart(8, '0')}` } },
        },
        template: { text: 'Hello' },
      }));
      const key = `call-${calls}`;
      const ids = await untilAccepted(world, key, messages);
      accepted[safety].push(...ids);
      // Somebody who did not hear the answer asks again.
      if (random.next() < 0.1) {
        const again = await untilAccepted(world, key, messages);
        if (again.join() !== ids.join())
          throw new Error(`The key ${key} gave other messages: ${again} ${ids}`);
      }
      await sleep(random.whole(0, PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return accepted;
}

async function untilAccepted(world: World, key: string, messages: readonly object[]): Promise<string[]> {
  const body = JSON.stringify(messages.length === 1 ? messages[0] : { messages });
  for (;;) {
    if (!world.isOpen()) throw new Error(`The call ${key} was not answered before the end.`);
    const answer = await call(world, key, body);
    if (answer === undefined || answer.status >= 500) {
      await sleep(PAUSE_MS);
      continue;
    }
    const { results = [answer.body] } = answer.body as { results?: unknown[] };
    const ids = (results as { id?: string }[]).flatMap((each) => each.id ?? []);
    if (answer.status !== 202 || ids.length !== messages.length) {
      throw new Error(`The call ${key} was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
    return ids;
  }
}

async function call(
  world: World,
  key: string,
  body: string,
): Promise<{ status: number; body: unknown } | undefined> {
  const { url } = await world.node('api');
  try {
    const response = await fetch(`${url}/api/v1/messages`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return undefined;
  }
}
