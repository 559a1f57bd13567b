/** What every flow stands on; made once, in app.ts. */
import type { Vault } from '../access/vault.ts';
import type { Ids } from '../ids.ts';
import type { Database } from '../storage/database.ts';
import type { Clock } from '../time.ts';
import type { Stages } from './stages.ts';

/** One line per unit of work; secrets never reach it. */
export interface Log {
  readonly debug: (fields: Readonly<Record<string, unknown>>, text: string) => void;
  readonly info: (fields: Readonly<Record<string, unknown>>, text: string) => void;
  readonly warn: (fields: Readonly<Record<string, unknown>>, text: string) => void;
  readonly error: (fields: Readonly<Record<string, unknown>>, text: string) => void;
}

export interface Runtime {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly vault: Vault;
  readonly log: Log;
  readonly stages: Stages;
}
