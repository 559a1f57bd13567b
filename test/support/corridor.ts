/**
 * The whole corridor in this process: doors, worker, housekeeping and the API's routes, on a real database and against a
 * scripted provider in a process of its own. Time goes on by itself and jumps where a test says so.
 */
import { createHash } from 'node:crypto';
import { checkChannel } from '../../src/channel/check.ts';
import type { ChannelDocument } from '../../src/channel/document.ts';
import { storeChannel, takenChannels } from '../../src/storage/channels.ts';
import type { Database } from '../../src/storage/database.ts';
import { type Node, type NodeOptions, startNode, type World } from './corridor-node.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { until } from './engine.ts';
import type { MessageView } from './message-view.ts';
import { type ScriptedProvider, startScripted } from './start-scripted.ts';

export type { ApiAnswer, Node } from './corridor-node.ts';

/** What goes on in steps is due again a moment later. */
const SOON_MS = 50;

export interface Corridor extends Node {
  readonly database: Database;
  readonly provider: ScriptedProvider;
  readonly accountId: string;
  /** Everything that was logged, as text. */
  readonly logged: () => string;
  /** Stores a channel document, or a new version of it; throws with what the linter says. */
  readonly addChannel: (document: Readonly<Record<string, unknown>>) => Promise<void>;
  /** A sender whose address is the provider's, with the token `secret-token-…`. */
  readonly addSender: (channel: string, sid?: string, fields?: object) => Promise<void>;
  /** Accepts one message and gives its id; anything else than 202 throws. */
  readonly send: (channel: string, more?: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly view: (id: string) => Promise<MessageView>;
  /** Resolves when nothing is due and nothing runs; what waits for a later time goes on waiting. */
  readonly idle: () => Promise<void>;
  /** Lets time pass at once, and then everything happen that is due. */
  readonly pass: (seconds: number) => Promise<void>;
  /** Another engine on the same database; needs a server. */
  readonly another: (options?: NodeOptions) => Promise<Node>;
  /** The text of every row of every table. */
  readonly dump: () => Promise<string>;
  readonly end: () => Promise<void>;
}

/** Opens a corridor; opening takes seconds, so once per test file. */
export async function openCorridor(
  kind: 'embedded' | 'server' = 'embedded',
  options: NodeOptions = {},
): Promise<Corridor> {
  let aheadMs = 0;
  const clock = { now: () => Date.now() + aheadMs };
  const lines: string[] = [];
  const write = (level: string) => (fields: object, text: string) => {
    const plain = JSON.stringify(fields, (_key, value) =>
      value instanceof Error ? `${value.message} ${value.stack}` : value,
    );
    lines.push(`${level} ${text} ${plain}`);
  };
  const world: World = {
    clock,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    keys: [createHash('sha256').update('key of the tests').digest()],
  };
  const [test, provider]: [TestDatabase, ScriptedProvider] = await Promise.all([
    openTestDatabase(kind, clock.now()),
    startScripted(),
  ]);
  const { database } = test;
  const node = await startNode(database, world, options);
  const nodes = [node];
  const { api } = node;
  const [account] = await database.query<{ id: string }>('select id from account');
  const created = async (request: string, json: unknown): Promise<unknown> => {
    const answer = await api(request, json);
    if (answer.status >= 300) throw new Error(`${request}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  let channels = 0;
  const previous = new Map<string, ChannelDocument>();

  const idle = () =>
    until(async () => {
      const [row] = await database.query<{ busy: number }>(
        'select count(*)::int as busy from waiting where owner is not null or due_at <= $1',
        [new Date(clock.now() + SOON_MS)],
      );
      if (row?.busy !== 0) return false;
      const done = [await node.housekeeping.joinParked(0), await node.housekeeping.finish()];
      return done.every((count) => count === 0);
    });

  return {
    ...node,
    database,
    provider,
    accountId: account?.id ?? '',
    logged: () => lines.join('\n'),
    addChannel: async (document) => {
      const { sid } = document as { sid: string };
      const text = JSON.stringify(document);
      const checked = checkChannel(
        { file: 'channel.json', text, kind: 'custom', pipelines: () => undefined },
        { others: await takenChannels(database), previous: previous.get(sid) },
      );
      if (checked.document === undefined) {
        const errors = checked.findings.filter((each) => each.severity === 'error');
        throw new Error(errors.map((each) => `${each.pointer}: ${each.message}`).join('\n'));
      }
      previous.set(sid, checked.document);
      channels += 1;
      await storeChannel(database, {
        id: checked.document.id,
        sid,
        kind: 'custom',
        accountId: account?.id ?? '',
        document: JSON.stringify(checked.document),
        hash: String(channels),
        nowMs: clock.now(),
      });
      for (const each of nodes) each.directory.forget();
    },
    addSender: async (channel, sid = 'main', fields = {}) => {
      await created('POST /senders', {
        sid,
        name: sid,
        channel,
        fields: { token: `secret-token-${sid}`, base_url: provider.url, ...fields },
      });
    },
    send: async (channel, more = {}) => {
      const body = { channel, resource: 'shop', template: { text: 'Hello' }, ...more };
      return ((await created('POST /messages', body)) as { id: string }).id;
    },
    view: async (id) => (await api(`GET /messages/${id}`)).body as MessageView,
    idle,
    pass: async (seconds) => {
      aheadMs += seconds * 1_000;
      for (const each of nodes) each.wake();
      await idle();
    },
    another: async (more = {}) => {
      const other = await startNode(await test.second(), world, more);
      nodes.push(other);
      return other;
    },
    dump: async () => {
      const tables = await database.query<{ name: string }>(
        `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not relispartition`,
      );
      let text = '';
      for (const { name } of tables) {
        for (const row of await database.query<{ t: string }>(
          `select to_json(t)::text as t from "${name}" t`,
        )) {
          text += `${name} ${row.t}\n`;
        }
      }
      return text;
    },
    end: async () => {
      // First the provider, so that nothing waits for its answers.
      await provider.end();
      await Promise.all(nodes.map((each) => each.stop()));
      await test.end();
    },
  };
}
