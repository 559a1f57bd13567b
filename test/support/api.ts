/** The API on an embedded database in memory, without a socket: every request goes through the mounted routes. */
import { Hono } from 'hono';
import { bootstrap, createTokens, hashToken, newToken, type Tokens } from '../../src/access/tokens.ts';
import { createVault } from '../../src/access/vault.ts';
import { checkChannel } from '../../src/channel/check.ts';
import type { ChannelDocument } from '../../src/channel/document.ts';
import { createDirectory, type Directory } from '../../src/flows/directory.ts';
import type { Ground } from '../../src/flows/ground.ts';
import { mountApi } from '../../src/http/api.ts';
import type { Route } from '../../src/http/route.ts';
import { createIds } from '../../src/ids.ts';
import { isObject } from '../../src/json.ts';
import { pipeOf } from '../../src/pipes/catalog.ts';
import { insertAccount, issueToken, type Role } from '../../src/storage/accounts.ts';
import { storeChannel } from '../../src/storage/channels.ts';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { makePartitions, migrate } from '../../src/storage/migrate.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body; null where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name
  readonly body: any;
}
