/** Rules: every exit leads somewhere, every pipe is led to, and no way goes round for ever (channel format, section 4). */
import { own } from '../../json.ts';
import { listed } from '../../near.ts';
import { type Analysis, handovers } from '../analysis.ts';
import { circles } from '../graph.ts';
import type { PipeUse } from '../read-pipeline.ts';
import type { Report } from '../report.ts';
import type { Rule } from './context.ts';

export const checkWays: Rule = (draft, report, { analyses }) => {
  for (const analysis of analyses) {
    checkIds(analysis, report);
    checkExits(analysis, report);
    checkReached(analysis, report);
    checkCircles(analysis, report);
  }
  const schedule = draft.pipelines.find((each) => each.role === 'schedule');
  const named =
    draft.document.pipelines.schedule !== undefined || own(draft.written.pipelines, 'schedule') !== undefined;
  const ids = schedule?.pipes.map((pipe) => pipe.id) ?? [];
  for (const { analysis, target } of handovers(analyses)) {
    if (ids.includes(target.id) || schedule?.whole === false || (schedule === undefined && named)) continue;
    const message =
      schedule === undefined
        ? `A scheduled pipe hands its event to pipe ${target.id} of the Schedule pipeline, but the channel has none; add "schedule" to its pipelines.`
        : `The Schedule pipeline has no pipe ${target.id}; it has ${listed(ids)}.`;
    report.add('entry-dangling', { source: analysis.pipeline.source, pointer: target.pointer }, message);
  }
};

function checkIds({ pipeline }: Analysis, report: Report): void {
  const seen = new Set<number>();
  for (const { id, pointer } of pipeline.pipes) {
    if (seen.has(id)) {
      const place = { source: pipeline.source, pointer: `${pointer}/id` };
      report.add(
        'pipe-id-twice',
        place,
        `Two pipes of this pipeline have the id ${id}; give one of them another.`,
      );
    }
    seen.add(id);
  }
}

function checkExits({ pipeline, graph }: Analysis, report: Report): void {
  for (const pipe of graph.pipes) {
    for (const exit of graph.exits(pipe)) {
      const place = { source: pipeline.source, pointer: exit.pointer };
      if (exit.to === pipe) {
        report.add(
          'exit-itself',
          place,
          `Pipe ${pipe.id} leads back to itself; a request that is to be repeated has "retry" for it.`,
        );
      } else if (exit.to === undefined && pipeline.whole) {
        const message = `The exit leads to pipe ${exit.id}, which does not exist in this pipeline; it has ${listed(graph.byId.keys())}.`;
        report.add('exit-dangling', place, message);
      }
    }
    if (pipe.pipe?.ends === true && pipe.outs.success !== undefined) {
      const place = { source: pipeline.source, pointer: `${pipe.pointer}/outs/success` };
      report.add(
        'pipe-params',
        place,
        `The run ends with ${pipe.pipe.type}, so it has no "success"; remove it.`,
      );
    }
  }
}

/** Where a pipe could not be read, its exits are not known, so nothing is said about the others. */
function isKnown({ pipeline }: Analysis): boolean {
  return pipeline.whole && pipeline.pipes.every((pipe) => pipe.pipe !== undefined);
}

function checkReached(analysis: Analysis, report: Report): void {
  const { pipeline, graph, carried } = analysis;
  const lost = graph.pipes.filter((pipe) => carried(pipe) === undefined);
  // A pipeline that nothing enters is reported as a whole.
  if (!isKnown(analysis) || lost.length === graph.pipes.length) return;
  const [first] = graph.pipes;
  const where =
    pipeline.role === 'schedule' ? 'no "scheduled" pipe names it' : `it is not the first one (${first?.id})`;
  for (const pipe of lost) {
    const message = `No exit leads to pipe ${pipe.id}, and ${where}; lead an exit to it, or remove it.`;
    report.add('pipe-unreachable', { source: pipeline.source, pointer: pipe.pointer }, message);
  }
}

/** True for a pipe at which the event may wait, so that a circle through it takes time. */
function waits({ pipe, params }: PipeUse): boolean {
  return pipe?.waits === true || (pipe?.retry !== undefined && own(params, 'limit') !== undefined);
}

function checkCircles({ pipeline, graph }: Analysis, report: Report): void {
  for (const circle of circles(graph, (pipe) => !waits(pipe))) {
    const [first] = circle;
    const back = circle.at(-1);
    const closing = back && graph.exits(back).find((exit) => exit.to === first);
    if (first === undefined || closing === undefined) continue;
    const way = [...circle, first].map((pipe) => pipe.id).join(' → ');
    const message = `The way ${way} goes in a circle in which nothing waits; use a "scheduled" pipe to come back later, or a "limit" on the request in it.`;
    report.add('circle', { source: pipeline.source, pointer: closing.pointer }, message);
  }
}
