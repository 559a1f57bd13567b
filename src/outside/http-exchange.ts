/** One request and its answer over a pool, within one time limit and one size limit. */
import type { Dispatcher } from 'undici';
import type { Failure } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from '../pipes/contract.ts';
import { answerTooLarge, exchangeFailure, exchangeStopped, exchangeTimeout } from './http-failures.ts';
import type { Lease } from './http-pools.ts';
import type { Running, Stoppable } from './http-running.ts';
import type { Target } from './http-target.ts';
import { unpackAnswer } from './http-unpack.ts';

export interface ExchangeOptions {
  readonly lease: Lease;
  readonly target: Target;
  readonly request: HttpRequest;
  /** For waiting for a connection, connecting, headers and body together. */
  readonly timeoutMs: number;
  readonly running: Running;
  /** Called once, when the connection is no longer needed. */
  readonly release: (lease: Lease) => void;
}

const USER_AGENT = 'sluiceway';
const EMPTY = Buffer.alloc(0);

/** Sends, collects and unpacks; throws what `http-failures` lists. One promise and one timer: this is the hot path. */
export function exchange(options: ExchangeOptions): Promise<HttpAnswer> {
  const { lease, target, request } = options;
  return new Promise((resolve, reject) => {
    const handler = new Exchange(options, resolve, reject);
    lease.pool.dispatch(
      {
        path: target.path,
        method: request.method,
        headers: headerList(request.headers),
        body: request.body ?? null,
      },
      handler,
    );
  });
}

function onTimeout(late: Exchange): void {
  late.timeOut();
}

/** One exchange under way. A class, so that a request makes one object instead of a closure for each thing that may happen. */
class Exchange implements Dispatcher.DispatchHandler, Stoppable {
  readonly #options: ExchangeOptions;
  readonly #resolve: (answer: HttpAnswer | Promise<HttpAnswer>) => void;
  readonly #reject: (failure: Failure) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #place: number;
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #status = 0;
  #headers: Record<string, string> = {};
  #first: Buffer | undefined;
  #chunks: Buffer[] | undefined;
  #size = 0;

  constructor(
    options: ExchangeOptions,
    resolve: (answer: HttpAnswer | Promise<HttpAnswer>) => void,
    reject: (failure: Failure) => void,
  ) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(onTimeout, options.timeoutMs, this);
    this.#place = options.running.enter(this);
  }

  timeOut(): void {
    const { target, request } = this.#options;
    this.#fail(exchangeTimeout(target.hostname, request.timeoutMs, this.#controller !== undefined));
  }

  stop(): void {
    this.#fail(exchangeStopped(this.#options.target.hostname, this.#controller !== undefined));
  }

  /** Called just before the first byte is written: from here on the provider may act. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown, not aborted: an abort would close a connection that has nothing to do with this late request.
    if (this.#settled) throw new Error('The exchange is over.');
    this.#controller = controller;
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    received: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return;
    const { method } = this.#options.request;
    this.#status = status;
    this.#headers = flatten(received);
    const announced = this.#headers['content-length'];
    if (announced === undefined || method === 'HEAD' || status === 304) return;
    if (Number(announced) > this.#options.request.maxResponseBytes) this.#failTooLarge();
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#size += chunk.length;
    if (this.#size > this.#options.request.maxResponseBytes) this.#failTooLarge();
    else if (this.#first === undefined) this.#first = chunk;
    else if (this.#chunks === undefined) this.#chunks = [this.#first, chunk];
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    const { target, request } = this.#options;
    const body = this.#chunks === undefined ? this.#first : Buffer.concat(this.#chunks, this.#size);
    const answer: HttpAnswer = { status: this.#status, headers: this.#headers, body: body ?? EMPTY };
    this.#resolve(
      answer.headers['content-encoding'] === undefined
        ? answer
        : unpackAnswer(answer, target.hostname, request.maxResponseBytes),
    );
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(exchangeFailure(error, this.#options.target.hostname, this.#controller !== undefined));
  }

  #settle(): boolean {
    if (this.#settled) return false;
    const { running, release, lease } = this.#options;
    this.#settled = true;
    clearTimeout(this.#timer);
    running.leave(this.#place);
    release(lease);
    return true;
  }

  #fail(failure: Failure): void {
    if (!this.#settle()) return;
    this.#reject(failure);
    this.#controller?.abort(failure);
  }

  #failTooLarge(): void {
    const { target, request } = this.#options;
    const answered = { status: this.#status, headers: this.#headers };
    this.#fail(answerTooLarge(target.hostname, request.maxResponseBytes, answered));
  }
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
