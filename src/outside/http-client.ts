/** The one way HTTP requests leave: guarded addresses, one time limit, capped answers, failures that say whether they arrived. */
import { Failure } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from '../pipes/contract.ts';
import { exchange } from './http-exchange.ts';
import { exchangeStopped, exchangeTimeout } from './http-failures.ts';
import { createPools, type PoolOptions } from './http-pools.ts';
import { followRedirect, type Hop } from './http-redirect.ts';
import { createRunning } from './http-running.ts';
import { parseTarget } from './http-target.ts';

export type HttpClientOptions = Pick<PoolOptions, 'guard' | 'defaultConnections' | 'trustedCertificates'> &
  Partial<Pick<PoolOptions, 'connectTimeoutMs' | 'idleMs' | 'maxPools'>>;

export interface HttpClient {
  /**
   * Sends one request; `laneKey` names whose connections it uses. `auth` and `limit` of the request are not looked at.
   * Throws HTTP_URL_INVALID, ADDRESS_FORBIDDEN, HTTP_NETWORK and HTTP_TIMEOUT (`ambiguous` where the request was sent),
   * HTTP_RESPONSE_SIZE, PARSE_FAILED, PIPE_PARAMS, SHUTDOWN.
   */
  readonly send: (request: HttpRequest, laneKey: string) => Promise<HttpAnswer>;
  /** Open pools, for metrics. */
  readonly poolCount: () => number;
  /**
   * Ends all connections now. What is still in flight fails: with SHUTDOWN if nothing was sent, else as an ambiguous
   * HTTP_NETWORK. Later sends throw SHUTDOWN.
   */
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_MS = 30_000;
const MAX_POOLS = 2_000;

/** A client over HTTP/1.1; no connection is opened before the first request. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const pools = createPools({
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    idleMs: IDLE_MS,
    maxPools: MAX_POOLS,
    ...options,
  });
  const running = createRunning();
  let closed = false;

  const sendOnce = (request: HttpRequest, laneKey: string, timeoutMs: number): Promise<HttpAnswer> => {
    const target = parseTarget(request.url);
    if (closed) throw exchangeStopped(target.hostname, false);
    const lease = pools.take(laneKey, target, request.poolSize);
    return exchange({ lease, target, request, timeoutMs, running, release: pools.release });
  };

  const sendFollowing = async (request: HttpRequest, laneKey: string): Promise<HttpAnswer> => {
    const startMs = performance.now();
    let hop: Hop = { request, performed: false };
    let performed = false;
    for (let left = request.redirects; ; left -= 1) {
      let answer: HttpAnswer;
      try {
        const leftMs = Math.ceil(request.timeoutMs - (performance.now() - startMs));
        if (leftMs <= 0)
          throw exchangeTimeout(parseTarget(hop.request.url).hostname, request.timeoutMs, false);
        answer = await sendOnce(hop.request, laneKey, leftMs);
      } catch (thrown) {
        throw performed ? ambiguous(thrown) : thrown;
      }
      const next = left > 0 ? followRedirect(hop.request, answer) : undefined;
      if (next === undefined) return answer;
      hop = next;
      performed ||= next.performed;
    }
  };

  return Object.freeze<HttpClient>({
    send: (request, laneKey) => {
      try {
        if (request.redirects > 0) return sendFollowing(request, laneKey);
        return sendOnce(request, laneKey, request.timeoutMs);
      } catch (thrown) {
        return Promise.reject(thrown);
      }
    },
    poolCount: pools.count,
    close: async () => {
      closed = true;
      running.stopAll();
      await pools.close();
    },
  });
}

/** The first hop was answered as done and only the way to its result failed: repeating might do it twice. */
function ambiguous(thrown: unknown): unknown {
  if (!(thrown instanceof Failure)) return thrown;
  return new Failure(thrown.code, thrown.message, { ...thrown.details, ambiguous: true });
}
