/** What every command is: its arguments, its streams and its exit code. */
import type { Readable, Writable } from 'node:stream';
import type { OptionTable } from './declarations.ts';

export interface CommandContext {
  /** Opened by anyone who reads it. */
  readonly stdin: () => Readable;
  readonly stdout: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A command gets its arguments and gives the exit code. */
export type Command = (args: readonly string[], context: CommandContext) => Promise<number>;

export interface CommandEntry {
  readonly usage: string;
  readonly summary: string;
  readonly options: OptionTable;
  /** Loaded when used, so that `check` does not open what `serve` needs. */
  readonly load: () => Promise<Command>;
}
