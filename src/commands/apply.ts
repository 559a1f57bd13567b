/** `sluiceway apply <bundle|folder>`: makes exactly what `plan` shows, through the API; a second time it changes nothing. */

import { asFailure, Failure } from '../errors.ts';
import { readArguments } from './arguments.ts';
import { planBundle } from './bundle/plan.ts';
import { readBundle } from './bundle/read-bundle.ts';
import { planJson, planText } from './bundle/show-plan.ts';
import type { Step } from './bundle/step.ts';
import type { CommandContext } from './command.ts';
import { failureText } from './failure-text.ts';
import { connectServer, type ServerApi } from './server-api.ts';

/** Everything that can be found wrong is found before anything is changed. */
export async function runApply(args: readonly string[], context: CommandContext): Promise<number> {
  const { places, options } = readArguments('apply', args);
  const { environment, stdout } = context;
  const bundle = await readBundle(places[0] ?? '');
  const api = connectServer(options, environment);
  const { steps, unset } = await planBundle(bundle, api, { environment, secrets: options.secrets });
  if (unset.length > 0) {
    throw new Failure(
      'SETTINGS_INVALID',
      `The bundle refers to variables that the environment does not have: ${unset.join(', ')}. Set them all; nothing was changed.`,
    );
  }
  const open = steps.filter(({ change }) => change !== 'keep');
  await examine(open, api);
  if (!options.json) stdout.write(planText(steps));
  let done = 0;
  for (const step of open) {
    try {
      await step.write(api);
    } catch (thrown) {
      throw brokenOff(step, done, open.length, asFailure(thrown));
    }
    done += 1;
  }
  stdout.write(
    options.json ? `${JSON.stringify(planJson(steps), null, 2)}\n` : `applied ${done} of ${open.length}\n`,
  );
  return 0;
}

interface Examined {
  readonly valid: boolean;
  readonly findings: readonly {
    readonly severity: string;
    readonly pointer: string;
    readonly message: string;
  }[];
}

/** The server knows what the bundle cannot: sids and ids of other accounts and of channels long gone. */
async function examine(steps: readonly Step[], api: ServerApi): Promise<void> {
  const lines: string[] = [];
  for (const { kind, name, examine: body } of steps) {
    if (body === undefined) continue;
    const { valid, findings }: Examined = await api.post('/channels/check', body);
    if (valid) continue;
    for (const { severity, pointer, message } of findings) {
      if (severity === 'error') lines.push(`  ${kind} ${name} at ${pointer || '/'}: ${message}`);
    }
  }
  if (lines.length === 0) return;
  throw new Failure(
    'DOCUMENT_INVALID',
    `The server refuses the bundle, and nothing was changed:\n${lines.join('\n')}`,
  );
}

function brokenOff({ kind, name }: Step, done: number, all: number, failure: Failure): Failure {
  return new Failure(
    failure.code,
    `${kind} ${name} was not applied: ${failureText(failure)}\n${done} of ${all} were applied before it. Mend the cause and apply again: what is applied stays and is not written twice.`,
  );
}
