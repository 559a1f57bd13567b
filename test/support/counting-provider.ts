/**
 * A provider in a process of its own that counts: `GET /_times` tells when each request came, by its own monotonic clock.
 * It answers at once, or after a random time up to COUNTING_DELAY_MS. Prints its port as the first line.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const mostMs = Number(process.env.COUNTING_DELAY_MS ?? 0);
const leastMs = 5;
const times: number[] = [];

const server = createServer((request, response) => {
  const at = performance.now();
  request.resume();
  if (request.url === '/_times') {
    response.end(JSON.stringify(times));
    return;
  }
  times.push(at);
  const id = `p-${times.length}`;
  const answer = () =>
    response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ id }));
  if (mostMs === 0) answer();
  else setTimeout(answer, leastMs + Math.random() * (mostMs - leastMs));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit(0));
