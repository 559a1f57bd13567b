/** The listener's address: `/fbp/v1/<channel>/<pipe>[/<sender>]`, any method. */
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { unstorable } from '../channel/unstorable.ts';
import { Failure } from '../errors.ts';
import type { AcceptRequest } from '../flows/intake/accept-request.ts';
import { readRequest } from '../flows/listener/read-request.ts';
import type { Runtime } from '../flows/runtime.ts';
import { readCapped, readIncoming } from './read-capped.ts';
import { failed } from './respond.ts';

const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Adds the listener to an app. `publicUrl` is what providers see, for signatures over the address. */
export function mountListener(
  app: Hono,
  accept: AcceptRequest,
  runtime: Runtime,
  options: { readonly maxBytes: number; readonly publicUrl: string | undefined },
): void {
  app.all('/fbp/v1/:channel/:pipe/:sender?', async (context) => {
    const raw = context.req.raw;
    try {
      const { channel = '', pipe = '', sender } = context.req.param() as Record<string, string | undefined>;
      if (!/^[1-9]\d{0,8}$/.test(pipe) || unstorable([channel, sender]) !== undefined) {
        throw new Failure(
          'NOT_FOUND',
          'No listener is here; the address names a channel and one of its listener pipes.',
        );
      }
      // Node's own request where there is one: the web's copy of it costs a third of a provider's request.
      const { incoming } = (context.env ?? {}) as Partial<HttpBindings>;
      const { path, search } = splitAddress(raw.url);
      const shown =
        options.publicUrl === undefined ? raw.url : options.publicUrl.replace(/\/$/, '') + path + search;
      const answer = await accept.request(
        { channel, pipe: Number(pipe), sender },
        readRequest({
          method: context.req.method,
          path,
          query: search,
          headers: incoming === undefined ? raw.headers : pairsOf(incoming.rawHeaders),
          body: await (incoming === undefined
            ? readCapped(raw, options.maxBytes)
            : readIncoming(incoming, options.maxBytes)),
          url: shown,
        }),
      );
      const body = BODYLESS.has(answer.status) ? null : (answer.body as string | Uint8Array<ArrayBuffer>);
      return new Response(body, { status: answer.status, headers: { ...answer.headers } });
    } catch (thrown) {
      return failed(thrown, runtime, raw);
    }
  });
}

/** Path and query of an absolute address, as they were sent. */
function splitAddress(url: string): { path: string; search: string } {
  const begin = url.indexOf('/', url.indexOf('//') + 2);
  const query = url.indexOf('?', begin);
  return query < 0
    ? { path: url.slice(begin), search: '' }
    : { path: url.slice(begin, query), search: url.slice(query) };
}

function pairsOf(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    pairs.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return pairs;
}
