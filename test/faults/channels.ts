/** The two channels of the faults suite: one whose requests may be repeated, and one whose may not. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Step } from '../support/scripted-provider.ts';
import { listenerPipeline, messagePipeline, smsChannel } from '../support/sms-channel.ts';

export type Safety = 'safe' | 'unsafe';
export const SAFETIES: readonly Safety[] = ['safe', 'unsafe'];

export const channelOf = (safety: Safety) => `faults_${safety}`;

/** Patient with refusals, so that messages fail only where the provider refuses them for good. */
const RETRY = { attempts: 60, base: 0.05, max: 0.5 };

/** Writes both channels as folders; a request may take so many seconds. */
export async function writeChannels(folder: string, timeout: number): Promise<void> {
  for (const [index, safety] of SAFETIES.entries()) {
    const pipeline = messagePipeline({
      timeout,
      retry: RETRY,
      ...(safety === 'safe' && { idempotency_header: 'Idempotency-Key' }),
    });
    const { events, ...channel } = smsChannel(channelOf(safety), pipeline, {
      id: 10_071 + index,
      pipelines: { listener: listenerPipeline },
    });
    const numbered = events.map((event, place) => ({ ...event, id: 100_700 + 100 * index + place }));
    await mkdir(join(folder, channelOf(safety)), { recursive: true });
    await writeFile(
      join(folder, channelOf(safety), 'channel.json'),
      JSON.stringify({ ...channel, events: numbered }),
    );
  }
}

/** What a provider does that is not well: some requests it serves and answers badly, some it refuses. */
export const MISBEHAVIOURS: readonly Step[] = [
  { end: 'hang' },
  { end: 'close' },
  { end: 'midway' },
  { end: 'garbage' },
  { status: 500, body: 'out of order' },
  { status: 503, headers: { 'retry-after': '0' } },
  { status: 429, headers: { 'retry-after': '1' } },
  { status: 302, headers: { location: 'http://169.254.169.254/latest/meta-data/' } },
];
