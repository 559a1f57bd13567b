/** The API of a running server as commands call it. Its answers are those that its OpenAPI page declares. */
import { FAILURES, Failure, type FailureCode, type Problem } from '../errors.ts';
import { isObject, own } from '../json.ts';

export interface ServerApi {
  readonly get: <T>(path: string) => Promise<T>;
  /** Every row of a list, page by page. */
  readonly list: <T>(path: string) => Promise<readonly T[]>;
  readonly post: <T>(path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<T>;
  readonly put: <T>(path: string, body: unknown) => Promise<T>;
  /** Server-sent events, each parsed, until the server ends the stream. */
  readonly events: (path: string) => AsyncGenerator<ServerEvent, void>;
  /** Sends a stream as the body. */
  readonly upload: <T>(path: string, contentType: string, body: AsyncIterable<Uint8Array>) => Promise<T>;
}

export interface ServerEvent {
  readonly name: string;
  readonly value: unknown;
}

interface Page<T> {
  readonly data: readonly T[];
  readonly pagination: { readonly nextCursor: string | null };
}

interface Call {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream;
}

const PAGE_ROWS = 100;

/** No request leaves before the first call. Throws REQUEST_INVALID, UNAUTHENTICATED. */
export function connectServer(
  options: { readonly url: string; readonly token: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): ServerApi {
  const base = baseOf(options.url);
  const token = options.token ?? environment.SLUICEWAY_TOKEN;
  if (token === undefined || token === '') {
    throw new Failure(
      'UNAUTHENTICATED',
      'There is no token. Set SLUICEWAY_TOKEN, or give --token; "sluiceway token create" makes one.',
    );
  }
  const events = async function* (path: string): AsyncGenerator<ServerEvent, void> {
    try {
      const response = await fetch(`${base}/api/v1${path}`, {
        headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
        redirect: 'error',
      });
      if (!response.ok) throw failureOf(base, response.status, parse(await response.text()));
      let open = '';
      for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(
        new TextDecoderStream(),
      )) {
        const blocks = `${open}${chunk}`.split('\n\n');
        open = blocks.pop() ?? '';
        for (const block of blocks) {
          const event = eventIn(block);
          if (event !== undefined) yield event;
        }
      }
    } catch (thrown) {
      throw thrown instanceof Failure ? thrown : unreachable(base, thrown);
    }
  };
  const call = async <T>(method: string, path: string, { headers, body }: Call = {}): Promise<T> => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${base}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        redirect: 'error',
        ...(body !== undefined && { body, duplex: 'half' }),
      });
      text = await response.text();
    } catch (thrown) {
      throw unreachable(base, thrown);
    }
    const answer = parse(text);
    if (response.ok && answer !== undefined) return answer as T;
    throw failureOf(base, response.status, answer);
  };
  const withJson = (body: unknown, headers?: Readonly<Record<string, string>>): Call => ({
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return Object.freeze<ServerApi>({
    get: (path) => call('GET', path),
    list: async <T>(path: string) => {
      const rows: T[] = [];
      let cursor: string | null = null;
      do {
        const query = new URLSearchParams({ limit: String(PAGE_ROWS), ...(cursor !== null && { cursor }) });
        const page: Page<T> = await call('GET', `${path}?${query}`);
        rows.push(...page.data);
        cursor = page.pagination.nextCursor;
      } while (cursor !== null);
      return rows;
    },
    post: (path, body, headers) => call('POST', path, withJson(body, headers)),
    put: (path, body) => call('PUT', path, withJson(body)),
    events,
    upload: (path, contentType, body) =>
      call('POST', path, { headers: { 'content-type': contentType }, body: ReadableStream.from(body) }),
  });
}

/** An event as Sluiceway writes it; undefined for a comment, which keeps the connection open. */
function eventIn(block: string): ServerEvent | undefined {
  const match = /^event: (\w+)\ndata: (.*)$/.exec(block);
  return match === null ? undefined : { name: match[1] ?? '', value: parse(match[2] ?? '') };
}

function baseOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new Failure('REQUEST_INVALID', `--url is an address such as http://127.0.0.1:8080, not "${url}".`);
  }
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
}

function unreachable(base: string, thrown: unknown): Failure {
  const cause = own(thrown, 'cause') ?? thrown;
  const code = own(cause, 'code');
  const reason = typeof code === 'string' ? code : cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    'SERVER_UNREACHABLE',
    `No answer came from ${base} (${reason}). Check that the server runs, and that --url is right; what was sent may have arrived.`,
    { cause: thrown },
  );
}

function parse(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    // Anyone who answers without JSON is not Sluiceway; the caller of this says so.
    return undefined;
  }
}

/** The failure that the server named, under its own code. */
function failureOf(base: string, status: number, answer: unknown): Failure {
  const code = own(answer, 'code');
  const detail = own(answer, 'detail');
  if (typeof code !== 'string' || typeof detail !== 'string') {
    return new Failure(
      'SERVER_UNREACHABLE',
      `${base} answered ${status}, but not as Sluiceway does. Check --url: it names the server without /api/v1.`,
    );
  }
  const problems = own(answer, 'problems');
  return new Failure(isKnown(code) ? code : 'BUG', detail, {
    problems: (Array.isArray(problems) ? problems : []).flatMap(problemIn),
  });
}

function isKnown(code: string): code is FailureCode {
  return Object.hasOwn(FAILURES, code);
}

function problemIn(value: unknown): Problem[] {
  const { pointer, message } = isObject(value) ? value : {};
  return typeof pointer === 'string' && typeof message === 'string' ? [{ pointer, message }] : [];
}
