/** `sluiceway plan <bundle|folder>`: what `apply` would do. */

import { readArguments } from './arguments.ts';
import { planBundle } from './bundle/plan.ts';
import { readBundle } from './bundle/read-bundle.ts';
import { planJson, planText } from './bundle/show-plan.ts';
import type { CommandContext } from './command.ts';
import { connectServer } from './server-api.ts';

export async function runPlanCommand(args: readonly string[], context: CommandContext): Promise<number> {
  const { places, options } = readArguments('plan', args);
  const { environment, stdout } = context;
  const bundle = await readBundle(places[0] ?? '');
  const api = connectServer(options, environment);
  const { steps, unset } = await planBundle(bundle, api, { environment, secrets: options.secrets });
  if (options.json) stdout.write(`${JSON.stringify({ ...planJson(steps), unset }, null, 2)}\n`);
  else {
    stdout.write(planText(steps));
    if (unset.length > 0) stdout.write(`apply needs these in the environment: ${unset.join(', ')}\n`);
  }
  return 0;
}
