/** Sending files to the import routes. */
import { at } from './answers.ts';
import type { Answer, Api } from './api.ts';

type Body = string | ReadableStream<Uint8Array>;

export interface Imports {
  readonly csv: (tag: 'profiles' | 'subscriptions', body: Body) => Promise<Answer>;
  readonly ndjson: (tag: 'profiles' | 'subscriptions', body: Body) => Promise<Answer>;
}

/** `api` is asked for only when a file is sent. */
export function importsOf(api: () => Api): Imports {
  const send = (type: string) => (tag: string, body: Body) =>
    api().call(`POST /${tag}/import`, { body, headers: { 'content-type': type } });
  return { csv: send('text/csv; charset=utf-8'), ndjson: send('application/x-ndjson') };
}

/** The lines that an import refused. */
export function linesOf(answer: Answer): unknown[] {
  const problems = at(answer.body, 'problems');
  return Array.isArray(problems) ? problems.map((problem) => at(problem, 'line')) : [];
}

/** A stream of bytes in pieces of some size, so that lines and characters are cut anywhere. */
export function inPieces(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let from = 0;
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (from >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(from, from + size));
      from += size;
    },
  });
}
