/** A provider that answers at once, in a process of its own. Prints its port; `GET /count` tells what it took. */
import { createServer } from 'node:http';

let taken = 0;
const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify({ taken }));
    return;
  }
  request.resume();
  request.on('end', () => {
    taken += 1;
    const body = `{"id":"p-${taken}","status":"accepted"}`;
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : ''}\n`);
});
process.once('disconnect', () => process.exit(0));
