/**
 * A CMS on a loopback socket that answers as its provider documents: paging, filters, drafts, credentials, errors. What
 * it holds is a list of entries; a test may let it refuse the next requests.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { contentfulAnswer } from './cms/contentful.ts';
import type { CmsAnswer, CmsEntry, CmsRequest } from './cms/entry.ts';
import { sanityAnswer } from './cms/sanity.ts';
import { strapiAnswer } from './cms/strapi.ts';
import { wordpressAnswer } from './cms/wordpress.ts';

export type CmsKind = 'wordpress' | 'contentful' | 'strapi4' | 'strapi5' | 'sanity';

const ANSWERS: Readonly<Record<CmsKind, (request: CmsRequest, entries: readonly CmsEntry[]) => CmsAnswer>> = {
  wordpress: wordpressAnswer,
  contentful: contentfulAnswer,
  strapi4: (request, entries) => strapiAnswer(4, request, entries),
  strapi5: (request, entries) => strapiAnswer(5, request, entries),
  sanity: sanityAnswer,
};

export interface Cms {
  readonly url: string;
  /** What it holds; tests replace it. */
  entries: CmsEntry[];
  /** Every request, as path and query. */
  readonly seen: CmsRequest[];
  /** Answers the next requests, or those from a page on, with this instead. */
  readonly refuse: (times: number, answer: CmsAnswer) => void;
  /** Called before each answer, with the number of the request, from 1. */
  onRequest: (number: number) => void | Promise<void>;
  readonly end: () => Promise<void>;
}

/** Starts one. */
export async function startCms(kind: CmsKind): Promise<Cms> {
  const refusals: CmsAnswer[] = [];
  const cms = {
    entries: [] as CmsEntry[],
    seen: [] as CmsRequest[],
    refuse: (times: number, answer: CmsAnswer) => {
      for (let time = 0; time < times; time += 1) refusals.push(answer);
    },
    onRequest: (() => {}) as Cms['onRequest'],
  };
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const url = new URL(incoming.url ?? '/', 'http://cms');
    const request = {
      path: url.pathname,
      query: url.searchParams,
      authorization: incoming.headers.authorization,
    };
    cms.seen.push(request);
    await cms.onRequest(cms.seen.length);
    const answer = refusals.shift() ?? ANSWERS[kind](request, cms.entries);
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  };
  const server = createServer((incoming, response) => void serve(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(cms, {
    url: `http://127.0.0.1:${port}`,
    end: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** Many entries with ids from 1 on. */
export function entriesOf(count: number, idOf: (number: number) => string = String): CmsEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const id = idOf(index + 1);
    return { id, title: `Entry ${id}`, body: `Body of ${id}` };
  });
}

/** Starts servers with entries whose names no other test has, and ends those that are open. */
export function createCmsStarter() {
  const open: Cms[] = [];
  let started = 0;
  return {
    start: async (kind: CmsKind, count: number): Promise<Cms> => {
      const cms = await startCms(kind);
      started += 1;
      cms.entries = entriesOf(count).map((entry) => ({ ...entry, title: `CMS ${started}, ${entry.id}` }));
      open.push(cms);
      return cms;
    },
    endAll: async () => {
      for (const cms of open.splice(0)) await cms.end();
    },
  };
}
