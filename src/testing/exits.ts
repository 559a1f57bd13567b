/** Which wired exits of a channel's pipelines the tests walked. */
import type { CompiledChannel } from '../engine/compile-channel.ts';
import type { Plan } from '../engine/plan.ts';
import type { TrailStep } from '../engine/run-outcome.ts';

/** A wired exit: `message 4:error`, or `message 2:7` for an exit that leads to pipe 7 by a param. */
export type ExitName = string;

const name = (plan: string, pipe: number, exit: string): ExitName => `${plan} ${pipe}:${exit}`;

/** Every wired exit of a channel, pipeline by pipeline. */
export function exitsOfChannel(channel: CompiledChannel): readonly ExitName[] {
  const plans = [...Object.values(channel.plans), ...channel.operations.values()];
  return plans.flatMap(exitsOfPlan);
}

function exitsOfPlan(plan: Plan): readonly ExitName[] {
  return [...plan.pipes.values()].flatMap((pipe) => [
    ...(pipe.success === undefined ? [] : [name(plan.name, pipe.id, 'success')]),
    ...(pipe.error === undefined ? [] : [name(plan.name, pipe.id, 'error')]),
    ...[...pipe.exits.keys()].map((id) => name(plan.name, pipe.id, String(id))),
  ]);
}

/** The exits that a run took. */
export function exitsWalked(plan: Plan, trail: readonly TrailStep[]): readonly ExitName[] {
  return trail.flatMap((step, index) => {
    const next = trail[index + 1]?.pipe;
    const pipe = plan.pipes.get(step.pipe);
    // A split runs the way of its elements before it takes an exit of its own.
    const own = [pipe?.success?.id, pipe?.error?.id];
    const branched = next !== undefined && pipe?.exits.has(next) === true && !own.includes(next);
    return [
      name(plan.name, step.pipe, step.exit),
      ...(branched && step.exit !== String(next) ? [name(plan.name, step.pipe, String(next))] : []),
    ];
  });
}
