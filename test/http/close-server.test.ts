/** A server that is told to end while a caller keeps its one connection busy. */
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { closeServer } from '../../src/http/close-server.ts';

it('ends, although a caller goes on calling over the connection it has; each call is answered or refused', async () => {
  const server = createServer((_, response) => {
    setTimeout(() => response.end('here'), 5);
  });
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
  await closeServer(server);
  await Promise.all(callers);
  expect(heard).toContain('close');
  agent.destroy();
});
