/**
 * A provider in a process of its own that does what a test tells it. `POST /_script` gives the answers of a path or of a
 * reference, in order, the last one repeated or all of them in turn; `GET /_log` tells every request. After `POST
 * /_reports` it reports what it took, and `GET /_reports` tells these reports. Listens on the port that is its argument, or
 * a free one, and prints it as the first line.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReports } from './provider-reports.ts';

/** One answer. `hang` never answers, `close` cuts the connection, `garbage` sends what is no HTTP. */
export interface Step {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly delayMs?: number;
  readonly end?: 'hang' | 'close' | 'midway' | 'garbage';
  /** A body of so many bytes instead, as fast as it is read. */
  readonly bytes?: number;
}

/** After the last step comes the last one again, or the first. */
export type Turn = 'last' | 'round';

/** A request as the provider saw it. */
export interface Seen {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly reference: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** It was not refused: anyone who asks may have been served, whatever became of the answer. */
  readonly took: boolean;
  /** What was wrong with the answer; absent if nothing was. */
  readonly fault?: string;
}

const LUMP = Buffer.alloc(65_536, 'x');
const reports = createReports();
const scripts = new Map<string, { readonly steps: Step[]; readonly turn: Turn }>();
const seen: Seen[] = [];
const taken = new Map<string, number>();
const verdicts = new Map<string, Step>();
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
    const script = scripts.get(key);
    if (script === undefined || script.steps.length === 0) continue;
    const { steps, turn } = script;
    const place = taken.get(key) ?? 0;
    taken.set(key, place + 1);
    return steps[turn === 'round' ? place % steps.length : Math.min(place, steps.length - 1)] ?? {};
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
  if (step.bytes === undefined) response.end(text);
  else pour(response, step.bytes);
}

/** Writes as much as the reader takes, and never holds it all. */
function pour(response: ServerResponse, bytes: number): void {
  let left = bytes;
  const more = () => {
    while (left > 0 && !response.destroyed) {
      const lump = left < LUMP.length ? LUMP.subarray(0, left) : LUMP;
      left -= lump.length;
      if (!response.write(lump)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  response.on('error', () => {});
  more();
}

/** In turn, answers come in any order. But a provider keeps its word: whom it served or refused for good stays so. */
function consistent(step: Step, path: string, reference: string): Step {
  if (scripts.get(path)?.turn !== 'round') return step;
  const forGood = !took(step) && (step.status ?? 0) < 429;
  const before = verdicts.get(reference);
  if (before === undefined) {
    if (took(step) || forGood) verdicts.set(reference, forGood ? step : {});
    return step;
  }
  return forGood || !took(before) ? before : step;
}

const took = ({ status = 202, end }: Step) => end !== undefined || (status >= 200 && status < 300);

function faultOf({ status = 202, end, bytes }: Step): string | undefined {
  if (end !== undefined) return end;
  if (bytes !== undefined) return 'pour';
  return status >= 300 ? String(status) : undefined;
}

const server = createServer((request, response) => {
  const at = Date.now();
  const url = new URL(request.url ?? '/', 'http://localhost');
  void bodyOf(request).then((body) => {
    if (url.pathname === '/_script') {
      const { key, steps, turn = 'last' } = JSON.parse(body) as { key: string; steps: Step[]; turn?: Turn };
      scripts.set(key, { steps, turn });
      taken.delete(key);
      response.end();
      return;
    }
    if (url.pathname === '/_log') {
      response.end(JSON.stringify(seen));
      return;
    }
    if (url.pathname === '/_reports') {
      if (request.method === 'POST') {
        const to = JSON.parse(body) as Record<string, string>;
        for (const [path, address] of Object.entries(to)) reports.sendTo(path, address);
      }
      response.end(JSON.stringify(reports.log()));
      return;
    }
    const reference = referenceOf(url.searchParams, body);
    const step = consistent(nextStep(url.pathname, reference), url.pathname, reference);
    const fault = faultOf(step);
    seen.push({
      at,
      method: request.method ?? '',
      path: url.pathname,
      query: url.search,
      reference,
      headers: request.headers as Record<string, string | undefined>,
      body,
      took: took(step),
      ...(fault !== undefined && { fault }),
    });
    if (took(step)) reports.taken(url.pathname, reference);
    if (step.delayMs === undefined) play(step, response);
    else setTimeout(() => play(step, response), step.delayMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit(0));
