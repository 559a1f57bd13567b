/** What every peer does for a job: render the text, POST it, read the answer, record the outcome. */
import { Pool } from 'undici';
import { compileText, TEXT } from '../message.ts';
import type { Handle } from '../queue.ts';
import type { RecordEvent } from './record-events.ts';

const TOKEN = 'bench-secret-token';

export interface Sending {
  readonly handle: Handle;
  readonly close: () => Promise<void>;
}

/** Opens the connections to the provider; `record` is left out where no event is to be written. */
export function openSending(providerUrl: string, connections: number, record?: RecordEvent): Sending {
  const pool = new Pool(providerUrl, { connections, pipelining: 1 });
  const render = compileText(TEXT);
  const handle: Handle = async (message) => {
    const reference = `m-${message.number}`;
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/messages',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${TOKEN}`,
        'idempotency-key': reference,
      },
      body: JSON.stringify({ to: message.phone, text: render(message), reference }),
    });
    const answer = (await body.json()) as { id: string; status: string };
    if (statusCode !== 202 || answer.status !== 'accepted')
      throw new Error(`the provider answered ${statusCode}`);
    await record?.(reference, answer.id);
  };
  return { handle, close: () => pool.close() };
}
