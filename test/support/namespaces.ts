/** Pid namespaces, as containers have them: a process in another one has another pid there, and sees nobody outside. */
import { spawnSync } from 'node:child_process';

const WAYS = [
  ['unshare', '--pid', '--fork', '--kill-child'],
  ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child'],
] as const;

/** Returns the words that start a command in a pid namespace of its own; undefined if that is not permitted here. */
export function pidNamespace(): readonly string[] | undefined {
  return WAYS.find(([program, ...args]) => spawnSync(program, [...args, 'true']).status === 0);
}
