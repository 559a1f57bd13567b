/** The listener's address: `/fbp/v1/<channel>/<pipe>[/<sender>]`, any method. */
import type { Hono } from 'hono';
import { Failure } from '../errors.ts';
import type { AcceptRequest } from '../flows/accept-request.ts';
import type { Ground } from '../flows/ground.ts';
import { readRequest } from '../flows/listener/read-request.ts';
import { failed } from './api.ts';
import { readCapped } from './read-capped.ts';

const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Adds the listener to an app. `publicUrl` is what providers see, for signatures over the address. */
export function mountListener(
  app: Hono,
  accept: AcceptRequest,
  ground: Ground,
  options: { readonly maxBytes: number; readonly publicUrl: string | undefined },
): void {
  app.all('/fbp/v1/:channel/:pipe/:sender?', async (context) => {
    const raw = context.req.raw;
    try {
      const { channel = '', pipe = '', sender } = context.req.param() as Record<string, string | undefined>;
      if (!/^[1-9]\d{0,8}$/.test(pipe)) {
        throw new Failure(
          'NOT_FOUND',
          'No listener is here; the address names a channel and one of its listener pipes.',
        );
      }
      const url = new URL(raw.url);
      const shown =
        options.publicUrl === undefined
          ? raw.url
          : options.publicUrl.replace(/\/$/, '') + url.pathname + url.search;
      const answer = await accept.request(
        { channel, pipe: Number(pipe), sender },
        readRequest({
          method: raw.method,
          path: url.pathname,
          query: url.search,
          headers: [...raw.headers],
          body: await readCapped(raw, options.maxBytes),
          url: shown,
        }),
      );
      const body = BODYLESS.has(answer.status) ? null : (answer.body as string | Uint8Array<ArrayBuffer>);
      return new Response(body, { status: answer.status, headers: { ...answer.headers } });
    } catch (thrown) {
      return failed(thrown, ground, raw);
    }
  });
}
