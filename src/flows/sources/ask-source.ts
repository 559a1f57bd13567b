/** Asks a CMS: one request through the guarded client, its answer read, and failures as sentences without secrets. */
import type { SourcePage, SourceRequest } from '../../content/sources/contract.ts';
import { readAnswer } from '../../content/sources/read-answer.ts';
import { Failure } from '../../errors.ts';
import type { HttpAnswer, HttpRequest } from '../../pipes/contract.ts';
import type { OpenSource } from './source-settings.ts';

/** Sends a request; `laneKey` names whose connections it uses. */
export type Send = (request: HttpRequest, laneKey: string) => Promise<HttpAnswer>;

const TIMEOUT_MS = 30_000;
const ANSWER_BYTES = 32 * 1024 * 1024;
/** Addresses of sites move: from http to https, and to their main name. */
const REDIRECTS = 3;
/** A CMS is a site for people, too. */
const CONNECTIONS = 4;

const END: SourcePage = Object.freeze({ entries: [], next: null, total: null });

/**
 * A page of entries. Throws HTTP_STATUS (of kind `rate_limited` where the CMS wants a pause), AUTH_FAILED, PARSE_FAILED,
 * and what the client throws.
 */
export async function askSource(
  send: Send,
  source: OpenSource,
  request: SourceRequest,
  cursor: string | null,
  nowMs: number,
): Promise<SourcePage> {
  const { adapter, config, redact } = source;
  try {
    const answer = await send(
      {
        method: 'GET',
        ...request,
        timeoutMs: TIMEOUT_MS,
        maxResponseBytes: ANSWER_BYTES,
        redirects: REDIRECTS,
        poolSize: CONNECTIONS,
      },
      `source/${source.row.id}`,
    );
    const read = readAnswer(adapter, answer, nowMs);
    return read === undefined
      ? END
      : adapter.readPage(config, { headers: answer.headers, json: read.json }, cursor);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    throw new Failure(thrown.code, redact(thrown.message), { ...thrown.details, cause: undefined });
  }
}
