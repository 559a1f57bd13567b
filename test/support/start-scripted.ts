/** Starts the scripted provider and talks to it. */
import { run } from './engine.ts';
import type { Seen, Step } from './scripted-provider.ts';

export interface ScriptedProvider {
  readonly url: string;
  /** The answers to a path or a reference, in order; the last one goes on. */
  readonly script: (key: string, ...steps: Step[]) => Promise<void>;
  readonly log: () => Promise<Seen[]>;
  /** Requests with this reference. */
  readonly seen: (reference: string) => Promise<Seen[]>;
  readonly end: () => Promise<unknown>;
}

/** Starts a provider that does what `script` tells it, on this port or a free one. */
export async function startScripted(port = 0): Promise<ScriptedProvider> {
  const running = await run('test/support/scripted-provider.ts', [String(port)], {}, /^(\d+)$/m);
  const url = `http://127.0.0.1:${running.match}`;
  const log = async () => (await (await fetch(`${url}/_log`)).json()) as Seen[];
  return {
    url,
    script: async (key, ...steps) => {
      await fetch(`${url}/_script`, { method: 'POST', body: JSON.stringify({ key, steps }) });
    },
    log,
    seen: async (reference) => (await log()).filter((each) => each.reference === reference),
    end: () => running.end('SIGKILL'),
  };
}
