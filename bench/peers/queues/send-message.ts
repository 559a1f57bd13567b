/** What every peer does for a job: find the person, render the text, POST it, read the answer, record the outcome. */
import { Pool } from 'undici';
import { compileText, TEXT } from '../message.ts';
import type { Handle } from '../queue.ts';
import type { People } from './find-people.ts';
import type { RecordEvent } from './record-events.ts';

const TOKEN = 'bench-secret-token';

export interface Sending {
  readonly handle: Handle;
  readonly close: () => Promise<void>;
}

/**
 * Opens the connections to the provider. `find` is left out where jobs carry all values, `record` where no event is to
 * be written.
 */
export function openSending(
  providerUrl: string,
  connections: number,
  find?: People['find'],
  record?: RecordEvent,
): Sending {
  const pool = new Pool(providerUrl, { connections, pipelining: 1 });
  const render = compileText(TEXT);
  const personOf = (number: number) => {
    if (find === undefined) throw new Error('The job names a person, and people are not looked up.');
    return find(number);
  };
  const handle: Handle = async (job) => {
    const message = 'customer' in job ? job : { ...job, ...(await personOf(job.number)) };
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
    await record?.({ reference, externalId: answer.id });
  };
  return { handle, close: () => pool.close() };
}
