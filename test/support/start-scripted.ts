/** Starts the scripted provider and talks to it. */
import { run } from './engine.ts';
import type { ReportLog } from './provider-reports.ts';
import type { Seen, Step, Turn } from './scripted-provider.ts';

export interface ScriptedProvider {
  readonly url: string;
  /** The answers to a path or a reference, in order; the last one goes on. */
  readonly script: (key: string, ...steps: Step[]) => Promise<void>;
  /** The same, but after the last step the first one comes again. */
  readonly scriptRound: (key: string, steps: readonly Step[]) => Promise<void>;
  /** From now on what is taken at these paths is reported to these addresses. */
  readonly reportTo: (addresses: Readonly<Record<string, string>>) => Promise<void>;
  readonly reports: () => Promise<ReportLog>;
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
  const write = async (key: string, steps: readonly Step[], turn: Turn) => {
    await fetch(`${url}/_script`, { method: 'POST', body: JSON.stringify({ key, steps, turn }) });
  };
  return {
    url,
    script: (key, ...steps) => write(key, steps, 'last'),
    scriptRound: (key, steps) => write(key, steps, 'round'),
    reportTo: async (addresses) => {
      await fetch(`${url}/_reports`, { method: 'POST', body: JSON.stringify(addresses) });
    },
    reports: async () => (await (await fetch(`${url}/_reports`)).json()) as ReportLog,
    log,
    seen: async (reference) => (await log()).filter((each) => each.reference === reference),
    end: () => running.end('SIGKILL'),
  };
}
