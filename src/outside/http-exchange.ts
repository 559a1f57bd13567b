/** One request and its answer over a pool, within one time limit and one size limit. */
import type { Dispatcher } from 'undici';
import type { Failure } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from '../pipes/contract.ts';
import { answerTooLarge, exchangeFailure, exchangeStopped, exchangeTimeout } from './http-failures.ts';
import type { Running, Stop } from './http-running.ts';
import type { Target } from './http-target.ts';
import { unpackAnswer } from './http-unpack.ts';

export interface ExchangeOptions {
  readonly dispatcher: Dispatcher;
  readonly target: Target;
  readonly request: HttpRequest;
  /** For waiting for a connection, connecting, headers and body together. */
  readonly timeoutMs: number;
  readonly running: Running;
  /** Called once, when the connection is no longer needed. */
  readonly onOver: () => void;
}

const USER_AGENT = 'sluiceway';
const EMPTY = Buffer.alloc(0);

/** Sends, collects and unpacks; throws what `http-failures` lists. One promise and one timer: this is the hot path. */
export function exchange(options: ExchangeOptions): Promise<HttpAnswer> {
  const { dispatcher, target, request, timeoutMs, running, onOver } = options;
  return new Promise((resolve, reject) => {
    const { hostname } = target;
    const { method, maxResponseBytes } = request;
    let controller: Dispatcher.DispatchController | undefined;
    let settled = false;
    let status = 0;
    let headers: Record<string, string> = {};
    let chunks: Buffer[] | undefined;
    let first: Buffer | undefined;
    let size = 0;

    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      clearTimeout(timer);
      running.leave(place);
      onOver();
      return true;
    };
    const fail = (failure: Failure): void => {
      if (!settle()) return;
      reject(failure);
      controller?.abort(failure);
    };
    const stop: Stop = () => fail(exchangeStopped(hostname, controller !== undefined));
    const timer = setTimeout(
      () => fail(exchangeTimeout(hostname, request.timeoutMs, controller !== undefined)),
      timeoutMs,
    );
    const place = running.enter(stop);

    dispatcher.dispatch(
      {
        path: target.path,
        method,
        headers: headerList(request.headers),
        body: request.body ?? null,
      },
      {
        // Called just before the first byte is written: from here on the provider may act.
        onRequestStart: (given) => {
          // Thrown, not aborted: an abort would close a connection that has nothing to do with this late request.
          if (settled) throw new Error('The exchange is over.');
          controller = given;
        },
        onResponseStart: (_, statusCode, received) => {
          if (statusCode < 200) return;
          status = statusCode;
          headers = flatten(received);
          const announced = Number(headers['content-length'] ?? 0);
          if (announced > maxResponseBytes && method !== 'HEAD' && statusCode !== 304) {
            fail(answerTooLarge(hostname, maxResponseBytes, { status, headers }));
          }
        },
        onResponseData: (_, chunk) => {
          if (settled) return;
          size += chunk.length;
          if (size > maxResponseBytes) fail(answerTooLarge(hostname, maxResponseBytes, { status, headers }));
          else if (first === undefined) first = chunk;
          else if (chunks === undefined) chunks = [first, chunk];
          else chunks.push(chunk);
        },
        onResponseEnd: () => {
          if (!settle()) return;
          const body = chunks === undefined ? (first ?? EMPTY) : Buffer.concat(chunks, size);
          const answer: HttpAnswer = { status, headers, body };
          if (headers['content-encoding'] === undefined) resolve(answer);
          else unpackAnswer(answer, hostname, maxResponseBytes).then(resolve, reject);
        },
        onResponseError: (_, error) => fail(exchangeFailure(error, hostname, controller !== undefined)),
      },
    );
  });
}

/** Names and values in turn, own properties only; an author's own user-agent wins. */
function headerList(headers: Readonly<Record<string, string>>): string[] {
  const list: string[] = [];
  for (const name of Object.keys(headers)) list.push(name, headers[name] as string);
  if (!Object.hasOwn(headers, 'user-agent')) list.push('user-agent', USER_AGENT);
  return list;
}

/** Repeated headers as one text (RFC 9110, 5.3). */
function flatten(received: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  for (const name of Object.keys(received)) {
    const value = received[name];
    if (Array.isArray(value)) (received as Record<string, unknown>)[name] = value.join(', ');
  }
  return received as Record<string, string>;
}
