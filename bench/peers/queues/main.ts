/**
 * The process of a peer: opens its queue and does what run.ts asks over IPC, one question at a time.
 * A job that fails ends the process: then there is nothing to measure.
 */
import { messageOf } from '../message.ts';
import type { Opening, Question } from '../questions.ts';
import { ENQUEUE_AT_ONCE, ENQUEUE_BATCH, type Handle, type Job, type OpenQueue } from '../queue.ts';
import { openQueue as openBare } from './bare.ts';
import { openQueue as openBullmq } from './bullmq.ts';
import { openPeople } from './find-people.ts';
import { openQueue as openGraphileWorker } from './graphile-worker.ts';
import { openQueue as openPgBoss } from './pg-boss.ts';
import { openEvents } from './record-events.ts';
import { openSending } from './send-message.ts';

const QUEUES: Readonly<Record<Opening['library'], OpenQueue>> = {
  'graphile-worker': openGraphileWorker,
  'pg-boss': openPgBoss,
  bullmq: openBullmq,
  bare: openBare,
};

async function main(opening: Opening): Promise<void> {
  const events = opening.eventsUrl === undefined ? undefined : await openEvents(opening.eventsUrl);
  const people =
    opening.people === undefined ? undefined : await openPeople(opening.people.url, opening.people.count);
  const sending = openSending(opening.providerUrl, opening.requests, people?.find, events?.record);
  const handle: Handle = (job) => sending.handle(job).catch(end);
  const jobOf = (number: number): Job => {
    const message = messageOf(number);
    return people === undefined ? message : { number, attributes: message.attributes };
  };
  const queue = await QUEUES[opening.library](opening.storeUrl, opening.settings, handle);

  const enqueue = async (from: number, to: number) => {
    let next = from;
    await Promise.all(
      Array.from({ length: ENQUEUE_AT_ONCE }, async () => {
        while (next < to) {
          const first = next;
          next = Math.min(to, first + ENQUEUE_BATCH);
          await queue.enqueue(Array.from({ length: next - first }, (_, index) => jobOf(first + index)));
        }
      }),
    );
  };

  const answer = async (question: Question): Promise<number> => {
    if (question.ask === 'enqueue') await enqueue(question.from, question.to);
    else if (question.ask === 'start') await queue.start();
    else if (question.ask === 'pause') await queue.pause();
    else if (question.ask === 'unfinished') return queue.unfinished();
    else if (question.ask === 'completed') return queue.completed();
    else if (question.ask === 'events') return events === undefined ? 0 : events.count();
    else {
      await queue.close();
      await sending.close();
      await people?.close();
      await events?.close();
    }
    return 0;
  };
  process.on('message', (question: Question) => {
    answer(question).then((value) => process.send?.(value), end);
  });
  process.send?.(0);
}

function end(reason: unknown): never {
  console.error(reason);
  process.exit(1);
}

// Anyone who started us ends us: at Ctrl-C it first ends the measuring, and if it is gone, so are we.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.exit(0));
process.once('message', (opening: Opening) => {
  main(opening).catch(end);
});
