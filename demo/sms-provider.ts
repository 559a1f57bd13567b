/**
 * A small SMS provider in a process of its own: real HTTP, slow answers, some failures, signed delivery reports. It also
 * keeps a notice board. Prints its port as the first line; `GET /log` tells what it saw.
 */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { behaviourOf } from './behaviour.ts';

const token = process.env.PROVIDER_TOKEN ?? 'demo-token';
const secret = process.env.PROVIDER_SECRET ?? 'demo-secret';
/** Answers take about so long. */
const delayMs = Number(process.env.PROVIDER_DELAY_MS ?? 20);

interface Taken {
  readonly id: string;
  readonly to: string;
  readonly reference: string;
  requests: number;
  busy: number;
}

const taken = new Map<string, Taken>();
const board: string[] = [];
let reportUrl = '';
let refused = 0;
let reports = 0;
let lastId = 0;
const toReport: Record<string, unknown>[] = [];
let reporting = false;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function takeMessage(request: IncomingMessage, response: ServerResponse, body: string): void {
  if (request.headers.authorization !== `Bearer ${token}`) {
    answer(response, 401, { error: 'unknown token' });
    return;
  }
  const { to, reference } = JSON.parse(body) as { to: string; reference: string };
  const key = String(request.headers['idempotency-key'] ?? reference);
  const behaviour = behaviourOf(to);
  let message = taken.get(key);
  if (message === undefined) {
    lastId += 1;
    message = { id: `p-${lastId}`, to, reference, requests: 0, busy: 0 };
    taken.set(key, message);
  }
  message.requests += 1;
  if (behaviour.send === 'busy_once' && message.requests === 1) {
    message.busy += 1;
    answer(response, 503, { error: 'busy' }, { 'retry-after': '0' });
    return;
  }
  if (behaviour.send === 'reject') {
    refused += 1;
    answer(response, 202, { status: 'rejected', code: 'BLOCKED', reason: 'This number is blocked.' });
    return;
  }
  answer(response, 202, { id: message.id, status: 'accepted' });
  if (message.requests === 1 + message.busy) queueReports(message);
}

function queueReports(message: Taken): void {
  const behaviour = behaviourOf(message.to);
  if (behaviour.report === undefined) return;
  const report = (status: string, more: Record<string, unknown> = {}) => ({
    event: `${message.id}-${status}`,
    id: message.id,
    status,
    time: new Date().toISOString(),
    ...more,
  });
  const first =
    behaviour.report === 'undelivered'
      ? report('undelivered', { code: 'EXPIRED', reason: 'The phone was off.' })
      : report(behaviour.report);
  toReport.push(first);
  if (behaviour.repeats) toReport.push(first);
  if (behaviour.clicks) toReport.push(report('clicked', { url: 'https://example.com/offer' }));
  if (!reporting) void sendReports();
}

/** Reports go out in bundles, signed, one request after another. */
async function sendReports(): Promise<void> {
  reporting = true;
  while (toReport.length > 0) {
    const bundle = toReport.splice(0, 20);
    const body = JSON.stringify(bundle);
    const timestamp = String(Math.floor(Date.now() / 1_000));
    reports += 1;
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    const headers = {
      'content-type': 'application/json',
      'x-timestamp': timestamp,
      'x-delivery-id': `d-${reports}`,
      'x-signature': `sha256=${signature}`,
    };
    const sent = await fetch(reportUrl, { method: 'POST', headers, body }).catch(() => undefined);
    if (sent?.status !== 200) {
      toReport.unshift(...bundle);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  reporting = false;
}

const server = createServer((request, response) => {
  bodyOf(request)
    .then((body) => {
      const path = request.url ?? '';
      if (request.method === 'POST' && path === '/messages') {
        setTimeout(() => takeMessage(request, response, body), delayMs * (0.5 + Math.random()));
      } else if (request.method === 'POST' && path === '/reports-to') {
        reportUrl = (JSON.parse(body) as { url: string }).url;
        answer(response, 200, {});
      } else if (request.method === 'POST' && path === '/board') {
        board.push(body);
        answer(response, 201, { id: `b-${board.length}` });
      } else if (path === '/log') {
        answer(response, 200, {
          messages: [...taken.values()],
          refused,
          board,
          reportsLeft: toReport.length,
        });
      } else answer(response, 404, { error: 'nothing here' });
    })
    .catch((thrown: unknown) => answer(response, 400, { error: String(thrown) }));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : ''}\n`);
});
process.once('SIGTERM', () => process.exit(0));
// Ends with the process that started it.
process.once('disconnect', () => process.exit(0));
