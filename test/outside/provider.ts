/** Servers on 127.0.0.1 for tests; `closeProviders` ends all of them with their connections. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import {
  createSecureServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { Failure } from '../../src/errors.ts';
import type { HttpRequest } from '../../src/pipes/contract.ts';
import { TEST_CERTIFICATE, TEST_KEY } from './certificate.ts';

export interface Provider {
  readonly port: number;
  readonly url: string;
  /** Connections accepted so far. */
  readonly connections: () => number;
  /** The next end of a connection. */
  readonly nextClose: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const providers: Provider[] = [];

async function listen(server: Server, scheme: string): Promise<Provider> {
  const sockets = new Set<Socket>();
  const closeListeners: (() => void)[] = [];
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      for (const listener of closeListeners.splice(0)) listener();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const provider: Provider = {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    connections: () => accepted,
    nextClose: () => new Promise((resolve) => closeListeners.push(resolve)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  providers.push(provider);
  return provider;
}

export const startHttp = (answer: RequestListener): Promise<Provider> => listen(createServer(answer), 'http');

export const startHttps = (answer: RequestListener): Promise<Provider> =>
  listen(createSecureServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, answer), 'https');

/** Offers HTTP/2 first. */
export const startHttp2 = (answer: (message: Http2ServerRequest, response: Http2ServerResponse) => void) =>
  listen(createHttp2Server({ cert: TEST_CERTIFICATE, key: TEST_KEY, allowHTTP1: true }, answer), 'https');

export const startTcp = (onConnection: (socket: Socket) => void): Promise<Provider> =>
  listen(createTcpServer(onConnection), 'tcp');

export async function closeProviders(): Promise<void> {
  await Promise.all(providers.splice(0).map((provider) => provider.close()));
}

/** A port at which nothing listens. */
export async function freePort(): Promise<number> {
  const provider = await startTcp(() => {});
  await provider.close();
  return provider.port;
}

export function request(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    url,
    headers: {},
    timeoutMs: 10_000,
    maxResponseBytes: 1_048_576,
    redirects: 0,
    ...more,
  };
}

export async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** The Failure that something ends with. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const outcome = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof Failure) return outcome;
  throw new Error(`A Failure was expected, not ${String(outcome)}.`);
}
