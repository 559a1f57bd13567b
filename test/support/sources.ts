/** Content sources in a corridor: made, synced, and looked at. */
import { createHmac } from 'node:crypto';
import { CONTENTFUL_TOKEN } from './cms/contentful.ts';
import { SANITY_TOKEN } from './cms/sanity.ts';
import { STRAPI_TOKEN } from './cms/strapi.ts';
import { WORDPRESS_USER } from './cms/wordpress.ts';
import type { Cms, CmsKind } from './cms-server.ts';
import type { ApiAnswer, Corridor } from './corridor.ts';

export const WEBHOOK_SECRET = 'webhook-secret-of-the-tests';

/** Provider and connection of each kind of CMS. */
export function connectionOf(kind: CmsKind, cms: Cms): { provider: string; config: Record<string, unknown> } {
  const { url } = cms;
  switch (kind) {
    case 'wordpress':
      return { provider: 'wordpress', config: { url, ...WORDPRESS_USER } };
    case 'contentful':
      return {
        provider: 'contentful',
        config: { url, spaceId: 'space1', contentType: 'article', accessToken: CONTENTFUL_TOKEN },
      };
    case 'sanity':
      return { provider: 'sanity', config: { url, projectId: 'p1', type: 'article', token: SANITY_TOKEN } };
    default:
      return {
        provider: 'strapi',
        config: { url, version: kind === 'strapi4' ? 4 : 5, collection: 'articles', token: STRAPI_TOKEN },
      };
  }
}

let made = 0;

/** Creates a source whose entries become SMS, and gives its id. */
export async function addSource(
  corridor: Corridor,
  kind: CmsKind,
  cms: Cms,
  more: object = {},
): Promise<string> {
  made += 1;
  const answer = await corridor.api('POST /content-sources', {
    name: `Source ${made}`,
    ...connectionOf(kind, cms),
    mappings:
      kind === 'wordpress'
        ? { 'title.rendered': 'name', 'content.rendered': 'content.body' }
        : { title: 'name', body: 'content.body' },
    channelType: 'sms_text',
    webhookSecret: WEBHOOK_SECRET,
    ...more,
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.id;
}

/** Syncs now, and gives the source as it is then. */
export async function syncNow(corridor: Corridor, id: string): Promise<ApiAnswer['body']> {
  const answer = await corridor.api(`POST /content-sources/${id}/sync`);
  if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
  await corridor.idle();
  return sourceOf(corridor, id);
}

export async function sourceOf(corridor: Corridor, id: string): Promise<ApiAnswer['body']> {
  return (await corridor.api(`GET /content-sources/${id}`)).body;
}

export interface SourceItem {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly version: number;
  readonly publishedVersion: number | null;
  readonly body: string;
  readonly conflict: string | null;
}

/** The items of a source, by the ids of their entries. */
export async function itemsOf(corridor: Corridor, sourceId: string): Promise<Map<string, SourceItem>> {
  const rows = await corridor.database.query<
    Omit<SourceItem, 'publishedVersion'> & { external_id: string; published_version: number | null }
  >(
    `select i.id, external_id, i.name, status, i.version, published_version, conflict, v.content ->> 'body' as body
     from content_item i join content_version v on v.item_id = i.id and v.version = i.version where source_id = $1`,
    [sourceId],
  );
  return new Map(
    rows.map(({ external_id, published_version, ...row }) => [
      external_id,
      { ...row, publishedVersion: published_version },
    ]),
  );
}

/** Sends a webhook as the CMS would, signed with the secret. */
export async function sendWebhook(
  corridor: Corridor,
  sourceId: string,
  body: unknown,
  given: { secret?: string; signature?: string; contentType?: string } = {},
): Promise<ApiAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const digest = createHmac('sha256', given.secret ?? WEBHOOK_SECRET)
    .update(text)
    .digest('hex');
  const response = await corridor.raw(`POST /cms/webhook/${sourceId}`, text, {
    'content-type': given.contentType ?? 'application/json',
    'x-webhook-signature': given.signature ?? `sha256=${digest}`,
  });
  const answer = await response.text();
  return { status: response.status, body: answer === '' ? undefined : JSON.parse(answer) };
}

/** Problems of a source, by entry. */
export async function problemsOf(corridor: Corridor, id: string): Promise<Map<string, string>> {
  const { body } = await corridor.api(`GET /content-sources/${id}/problems?limit=100`);
  return new Map(
    body.data.map((row: { externalId: string; problem: string }) => [row.externalId, row.problem]),
  );
}
