/**
 * A provider in a process of its own that does what a test tells it. `POST /_script` gives the answers of a path or of a
 * reference, in order, the last one repeated; `GET /_log` tells every request. Listens on the port that is its argument, or a
 * free one, and prints it as the first line.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer. `hang` never answers, `close` cuts the connection, `garbage` sends what is no HTTP. */
export interface Step {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly delayMs?: number;
  readonly end?: 'hang' | 'close' | 'midway' | 'garbage';
}

/** A request as the provider saw it. */
export interface Seen {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly reference: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

const scripts = new Map<string, Step[]>();
const seen: Seen[] = [];
const taken = new Map<string, number>();
let lastId = 0;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function referenceOf(query: URLSearchParams, body: string): string {
  const inQuery = query.get('reference');
  if (inQuery !== null) return inQuery;
  try {
    return String((JSON.parse(body) as { reference?: unknown }).reference ?? '');
  } catch {
    return '';
  }
}

/** The next step of the reference, or else of the path. */
function nextStep(path: string, reference: string): Step {
  for (const key of [reference, path]) {
    const steps = scripts.get(key);
    if (steps === undefined || steps.length === 0) continue;
    const place = taken.get(key) ?? 0;
    taken.set(key, place + 1);
    return steps[Math.min(place, steps.length - 1)] ?? {};
  }
  return {};
}

function play(step: Step, response: ServerResponse): void {
  const { socket } = response;
  if (step.end === 'hang') return;
  if (step.end === 'close') {
    socket?.destroy();
    return;
  }
  if (step.end === 'garbage') {
    socket?.end('this is no answer\r\n\r\n');
    return;
  }
  lastId += 1;
  const body = step.body ?? { id: `p-${lastId}` };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (step.end === 'midway') {
    response.writeHead(step.status ?? 202, { 'content-length': text.length + 100 });
    response.write(text, () => socket?.destroy());
    return;
  }
  response.writeHead(step.status ?? 202, { 'content-type': 'application/json', ...step.headers });
  response.end(text);
}

const server = createServer((request, response) => {
  const at = Date.now();
  const url = new URL(request.url ?? '/', 'http://localhost');
  void bodyOf(request).then((body) => {
    if (url.pathname === '/_script') {
      const { key, steps } = JSON.parse(body) as { key: string; steps: Step[] };
      scripts.set(key, steps);
      taken.delete(key);
      response.end();
      return;
    }
    if (url.pathname === '/_log') {
      response.end(JSON.stringify(seen));
      return;
    }
    const reference = referenceOf(url.searchParams, body);
    seen.push({
      at,
      method: request.method ?? '',
      path: url.pathname,
      query: url.search,
      reference,
      headers: request.headers as Record<string, string | undefined>,
      body,
    });
    const step = nextStep(url.pathname, reference);
    if (step.delayMs === undefined) play(step, response);
    else setTimeout(() => play(step, response), step.delayMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit(0));
