/** A server that is told to end while a caller keeps its one connection busy. */
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createCloseServer } from '../../src/http/close-server.ts';

it('ends, although a caller goes on calling over the connection it has; each call is answered or refused', async () => {
  const server = createServer((_, response) => {
    setTimeout(() => response.end('here'), 5);
  });
  const close = createCloseServer(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const call = () =>
    new Promise<string>((resolve) => {
      get({ port, host: '127.0.0.1', agent }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.headers.connection ?? ''));
      }).once('error', () => resolve('refused'));
    });
  // Over one connection, where another call always waits for the one under way.
  const heard: string[] = [];
  const goOnCalling = async () => {
    while (heard.at(-1) !== 'refused') heard.push(await call());
  };
  const firstRequest = new Promise((resolve) => server.once('request', resolve));
  const callers = [goOnCalling(), goOnCalling()];
  await firstRequest;
  await close();
  await Promise.all(callers);
  // The one under way says that it is the last, so that no call is sent into the end of the connection.
  expect(heard).toEqual(['close', 'refused', 'refused']);
  agent.destroy();
});
