/** Content through the API: the people of a review, and items in any state. */
import { hashToken, newToken } from '../../src/access/tokens.ts';
import { contentRoutes } from '../../src/http/routes/content.ts';
import { contentLifecycleRoutes } from '../../src/http/routes/content-lifecycle.ts';
import { contentVersionRoutes } from '../../src/http/routes/content-versions.ts';
import { issueToken, type Role } from '../../src/storage/tokens.ts';
import { textAt } from './answers.ts';
import { type Answer, type Api, NOW_MS, openApi } from './api.ts';

/** The routes of content; `unresolved` plays what keeps an item from being published. */
export function openContentApi(
  kind: 'embedded' | 'server' = 'embedded',
  unresolved: () => readonly string[] = () => [],
): Promise<Api> {
  return openApi(
    ({ runtime }) => [
      ...contentRoutes(runtime),
      ...contentLifecycleRoutes(runtime, unresolved),
      ...contentVersionRoutes(runtime),
    ],
    kind,
  );
}

export const SMS = { channelType: 'sms_text', content: { body: 'Hello' } };

export type Status = 'draft' | 'in_review' | 'approved' | 'published' | 'archived';

/** Calls in the order of the way to a state. */
const WAYS: Readonly<Record<Status, readonly string[]>> = {
  draft: [],
  in_review: ['submit'],
  approved: ['submit', 'approve'],
  published: ['submit', 'approve', 'publish'],
  archived: ['archive'],
};

export interface ContentPeople {
  /** Writes and submits. */
  readonly author: string;
  /** Approves. */
  readonly reviewer: string;
}

/** Asks for one of the calls by its name in the table of transitions. */
export function callContent(api: Api, token: string, call: string, id: string): Promise<Answer> {
  const path = `/content/${id}`;
  if (call === 'edit') return api.call(`PUT ${path}`, { token, json: { content: { body: 'Edited' } } });
  if (call === 'archive') return api.call(`DELETE ${path}`, { token });
  if (call === 'revert') return api.call(`POST ${path}/revert/1`, { token });
  return api.call(`POST ${path}/${call}`, {
    token,
    ...(call === 'reject' && { json: { feedback: 'Too long' } }),
  });
}

let made = 0;

/** A new item in a state, brought there by the author and the reviewer. */
export async function itemIn(
  api: Api,
  people: ContentPeople,
  status: Status,
  more: object = {},
): Promise<string> {
  made += 1;
  const json = { name: `Item ${made}`, ...SMS, ...more };
  const id = textAt(await api.call('POST /content', { token: people.author, json }), 'id');
  for (const call of WAYS[status]) {
    const token = call === 'approve' ? people.reviewer : people.author;
    const answer = await callContent(api, token, call, id);
    if (answer.status >= 300) throw new Error(`${call}: ${answer.text}`);
  }
  return id;
}

/** Another token of the user whose token this is. */
export async function secondToken(api: Api, token: string, role: Role): Promise<string> {
  const { accountId, userId } = await api.tokens.callerOf(`Bearer ${token}`);
  const second = newToken();
  const id = api.runtime.ids.next();
  const row = { id, accountId, userId, name: 'second', role, hash: hashToken(second) };
  await issueToken(api.runtime.database, { ...row, nowMs: NOW_MS, expiresAtMs: null });
  return second;
}
