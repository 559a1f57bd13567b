/** Rules: entities and their operations (channel format, section 9). */
import { pointerTo } from '../../json.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import type { Analysis } from '../analysis.ts';
import { fieldsOf } from '../document.ts';
import type { Draft } from '../draft.ts';
import { reached } from '../graph.ts';
import type { PipeUse } from '../read-pipeline.ts';
import type { Report } from '../report.ts';
import type { Rule } from './context.ts';

/** The pipes that an operation may use while a user waits. */
const ALLOWED: readonly string[] = [
  'result',
  'error',
  'log',
  'pack',
  'unpack',
  'http_request',
  'store_set',
  'store_get',
  'selector',
  'sql_pipe',
  'transform',
  'split',
];

export const checkOperations: Rule = (draft, report, { analyses }) => {
  checkEntities(draft, report);
  for (const analysis of analyses) {
    checkResults(analysis, draft, report);
    if (analysis.pipeline.role !== 'operation') continue;
    checkPipes(analysis, report);
    checkEnds(analysis, report);
  }
};

function checkEntities(draft: Draft, report: Report): void {
  const twice = (all: readonly { sid: string }[], pointers: (index: number) => string, what: string) => {
    all.forEach(({ sid }, index) => {
      if (all.findIndex((each) => each.sid === sid) === index) return;
      const place = { source: draft.source, pointer: pointerTo(pointers(index), 'sid') };
      report.add('entity-twice', place, `Two ${what} have the sid "${sid}"; give one of them another.`);
    });
  };
  twice(
    draft.entities.map(({ entity }) => entity),
    (index) => draft.entities[index]?.pointer ?? '',
    'entities',
  );
  for (const { entity, pointer } of draft.entities) {
    twice(entity.operations, (index) => `${pointer}/operations/${index}`, 'operations of this entity');
    const names = fieldsOf(entity.fields).map((field) => field.field);
    const form = draft.forms.find((each) => each.pointer === `${pointer}/fields`);
    for (const member of ['primary', 'preview'] as const) {
      const name = entity[member];
      if (name === undefined || names.includes(name) || form?.whole === false) continue;
      const near = nearName(name, names);
      const message = `The entity has no field "${name}".${didYouMean(near) || ` It has: ${listed(names)}.`}`;
      report.add(
        'entity-field',
        { source: draft.source, pointer: pointerTo(pointer, member) },
        message,
        near,
      );
    }
  }
}

function checkPipes({ pipeline, graph }: Analysis, report: Report): void {
  for (const { pipe, pointer } of graph.pipes) {
    if (pipe === undefined || ALLOWED.includes(pipe.type)) continue;
    const message = `An operation runs while a user waits and belongs to no message, so it cannot use ${pipe.type}; it can use ${listed(ALLOWED)}.`;
    report.add('operation-pipe', { source: pipeline.source, pointer: `${pointer}/type` }, message);
  }
}

/** Pipes that are passed once per run; those on the way of an element of a split are left out. */
function mainWay({ graph }: Analysis): ReadonlySet<PipeUse> {
  const [first] = graph.pipes;
  return reached(
    graph,
    first === undefined ? [] : [first],
    ({ pipe }, exit) => exit.kind !== 'exit' || pipe?.needs.includes('branch') !== true,
  );
}

function checkEnds(analysis: Analysis, report: Report): void {
  const { pipeline, graph, carried, names } = analysis;
  const result = names.of(['$result']);
  if (!pipeline.whole || pipeline.pipes.some((pipe) => pipe.pipe === undefined)) return;
  for (const use of mainWay(analysis)) {
    const state = carried(use);
    if (state === undefined || use.pipe?.ends === true || use.outs.success !== undefined) continue;
    if (use.pipe?.type === 'result' || (state.must & result) !== 0n) continue;
    // An exit that leads nowhere is reported as such.
    if (graph.exits(use).some((exit) => exit.kind === 'success')) continue;
    const message = `A way through this operation ends at pipe ${use.id} without a result; lead its "success" to a "result" or an "error".`;
    report.add('operation-unfinished', { source: pipeline.source, pointer: use.pointer }, message);
  }
}

function checkResults(analysis: Analysis, draft: Draft, report: Report): void {
  const { pipeline, graph, carried, names } = analysis;
  const read =
    pipeline.role === 'operation' ||
    (pipeline.role === 'listener' && draft.document.listener?.answer === 'result');
  const main = mainWay(analysis);
  for (const use of graph.pipes) {
    if (use.pipe?.type !== 'result') continue;
    const place = { source: pipeline.source, pointer: use.pointer };
    if (!read) {
      const message = `Nobody reads the result of the ${pipeline.title} pipeline; results are for operations, and for a listener with "answer": "result".`;
      report.add('result-unused', place, message);
    }
    const state = carried(use);
    if (state !== undefined && main.has(use) && (state.must & names.of(['$result'])) !== 0n) {
      report.add(
        'result-twice',
        place,
        'A result was set before on every way that leads here; a run has one result.',
      );
    }
  }
}
