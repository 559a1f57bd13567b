/** The API on an embedded database in memory, or on the server, without a socket: every request goes through the mounted routes. */
import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { firstUser } from '../../src/access/first-user.ts';
import { bootstrap, createTokens, hashToken, newToken, type Tokens } from '../../src/access/tokens.ts';
import { createVault } from '../../src/access/vault.ts';
import type { ChannelDocument } from '../../src/channel/document.ts';
import { createDirectory, type Directory } from '../../src/flows/directory/directory.ts';
import type { Runtime } from '../../src/flows/runtime.ts';
import { createStages } from '../../src/flows/stages.ts';
import { mountApi } from '../../src/http/api.ts';
import type { Route } from '../../src/http/route.ts';
import { createIds } from '../../src/ids.ts';
import { pipeOf } from '../../src/pipes/catalog.ts';
import { insertAccount } from '../../src/storage/accounts.ts';
import { storeChannel } from '../../src/storage/channels.ts';
import { issueToken, type Role } from '../../src/storage/tokens.ts';
import { insertUser } from '../../src/storage/users.ts';
import { openTestDatabase } from './database.ts';

/** 1 June 2026, noon UTC. */
export const NOW_MS = Date.UTC(2026, 5, 1, 12);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** As it was sent. */
  readonly text: string;
  /** Parsed; undefined if there is none, or no JSON. */
  readonly body: unknown;
}

export interface Call {
  readonly token?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Api {
  readonly runtime: Runtime;
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly accountId: string;
  /** The bootstrap token, an admin's. */
  readonly token: string;
  /** What was logged as an error. */
  readonly errors: readonly unknown[];
  /** `POST /senders`; with the admin's token unless another is given. */
  readonly call: (request: string, given?: Call) => Promise<Answer>;
  /** A token of a new user with this role, here or in another account. */
  readonly tokenOf: (role: Role, accountId?: string) => Promise<string>;
  /** Another account. */
  readonly otherAccount: (name: string) => Promise<string>;
  readonly addChannel: (document: ChannelDocument) => Promise<void>;
  /** Lets time pass, for caches and expiry. */
  readonly pass: (ms: number) => void;
  readonly close: () => Promise<void>;
}

/** Opens an API of some routes; opening takes seconds, so once per test file. */
export async function openApi(
  routesOf: (parts: { runtime: Runtime; directory: Directory; tokens: Tokens }) => readonly Route[],
  kind: 'embedded' | 'server' = 'embedded',
): Promise<Api> {
  const { database, end } = await openTestDatabase(kind, NOW_MS);
  let nowMs = NOW_MS;
  const clock = { now: () => nowMs };
  const errors: unknown[] = [];
  const silent = () => {};
  const runtime: Runtime = {
    database,
    clock,
    ids: createIds(clock),
    random: () => 0.5,
    stages: createStages(),
    vault: createVault([createHash('sha256').update('key of the tests').digest()]),
    log: { debug: silent, info: silent, warn: silent, error: (fields) => errors.push(fields.cause) },
  };
  const { accountId, made } = await bootstrap(database, clock, runtime.ids, undefined);
  const token = made ?? '';
  const directory = createDirectory(runtime, pipeOf);
  const tokens = createTokens(database, clock);
  const app = new Hono();
  mountApi(app, routesOf({ runtime, directory, tokens }), runtime, tokens);

  return Object.freeze<Api>({
    runtime,
    directory,
    tokens,
    accountId,
    token,
    errors,
    call: async (request, given = {}) => {
      const [method = 'GET', path = '/'] = request.split(' ');
      const headers: Record<string, string> = { authorization: `Bearer ${given.token ?? token}` };
      if (given.json !== undefined) headers['content-type'] = 'application/json';
      const body = given.json === undefined ? given.body : JSON.stringify(given.json);
      const response = await app.request(`/api/v1${path}`, {
        method,
        headers: { ...headers, ...given.headers },
        ...(body !== undefined && { body, duplex: 'half' }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined,
      };
    },
    tokenOf: async (role, of = accountId) => {
      const made = newToken();
      const userId = runtime.ids.next();
      const user = { id: userId, accountId: of, name: role, role, email: `${userId}@example.com` };
      await insertUser(database, { ...user, passwordHash: null, nowMs });
      const named = {
        id: runtime.ids.next(),
        accountId: of,
        userId,
        name: role,
        role,
        hash: hashToken(made),
      };
      await issueToken(database, { ...named, nowMs, expiresAtMs: null });
      return made;
    },
    otherAccount: async (name) => {
      const row = await insertAccount(database, { id: runtime.ids.next(), name, nowMs });
      if (row === undefined) throw new Error(`There is already an account "${name}".`);
      await firstUser(database, row.id, runtime.ids.next(), nowMs);
      return row.id;
    },
    addChannel: async (document) => {
      const text = JSON.stringify(document);
      const { sid, id, kind } = document;
      const hash = createHash('sha256').update(text).digest('hex');
      await storeChannel(database, { id, sid, kind, accountId: null, document: text, hash, nowMs });
      directory.forget();
    },
    pass: (ms) => {
      nowMs += ms;
    },
    close: end,
  });
}
