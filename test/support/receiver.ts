/** A receiver of webhooks in a process of its own, that can be killed and started again at the same address. */
import { createHmac } from 'node:crypto';
import type { Corridor } from './corridor.ts';
import type { Step } from './scripted-provider.ts';
import { startScripted } from './start-scripted.ts';

/** A webhook as it came. */
export interface Received {
  readonly id: string;
  readonly timestamp: number;
  /** Without their version. */
  readonly signatures: readonly string[];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of many shapes
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: any };
}

export interface Receiver {
  readonly url: string;
  readonly script: (...steps: Step[]) => Promise<void>;
  /** What came since the last start. */
  readonly received: () => Promise<Received[]>;
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
}

/** Starts a receiver; it takes everything unless a script says otherwise. */
export async function startReceiver(): Promise<Receiver> {
  let running = await startScripted();
  const { url } = running;
  return {
    url: `${url}/hook?key=address-key`,
    script: (...steps) => running.script('/hook', ...steps),
    received: async () =>
      (await running.log()).map(({ headers, body }) => ({
        id: headers['webhook-id'] ?? '',
        timestamp: Number(headers['webhook-timestamp']),
        signatures: (headers['webhook-signature'] ?? '').split(' ').map((each) => each.replace(/^v1,/, '')),
        text: body,
        body: JSON.parse(body),
      })),
    kill: async () => {
      await running.end();
    },
    restart: async () => {
      running = await startScripted(Number(new URL(url).port));
    },
  };
}

/** What the standard says a signature is, computed apart from the engine. */
export function expectedSignature(received: Received, secret: string): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = Buffer.concat([
    Buffer.from(received.id),
    Buffer.from('.'),
    Buffer.from(String(received.timestamp)),
    Buffer.from('.'),
    Buffer.from(received.text),
  ]);
  return createHmac('sha256', key).update(signed).digest('base64');
}

/** Creates a webhook; gives its id, secret and lane. */
export async function addWebhook(
  corridor: Corridor,
  url: string,
  events: readonly string[],
): Promise<{ id: string; secret: string; laneId: number }> {
  const { status, body } = await corridor.api('POST /webhooks', { url, events });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}
