/** Rules: the pipelines that a channel needs are there, and those that are there are entered (sections 3, 4 and 8). */
import { own } from '../../json.ts';
import type { Analysis } from '../analysis.ts';
import type { PipelineName } from '../document.ts';
import type { Draft } from '../draft.ts';
import type { Report } from '../report.ts';
import type { Rule } from './context.ts';

export const checkPipelines: Rule = (draft, report, { analyses }) => {
  checkMode(draft, report);
  checkControl(draft, report);
  checkModeration(draft, analyses, report);
  checkStop(draft, report);
  checkUsed(draft, analyses, report);
};

function has(draft: Draft, name: PipelineName): boolean {
  return own(draft.written.pipelines, name) !== undefined;
}

/** What a document says happens, or is refused: content is pushed through pipelines, and in no other way yet. */
function checkMode(draft: Draft, report: Report): void {
  const { mode } = draft.document.delivery;
  if (mode === 'pipeline') return;
  const message = `The delivery mode "${mode}" does not exist in this version, so that nothing would leave as the document says; remove "delivery", or set "mode": "pipeline".`;
  report.add('delivery-mode', { source: draft.source, pointer: '/delivery/mode' }, message);
}

function checkControl(draft: Draft, report: Report): void {
  const { kind, delivery } = draft.document;
  const place = (pointer: string, of: 'key' | 'value' = 'key') => ({ source: draft.source, pointer, of });
  const module = own(draft.written, 'module') !== undefined;
  const pipelines = own(draft.written, 'pipelines') !== undefined;
  if (kind === 'built_in') {
    if (pipelines)
      report.add(
        'module-or-pipelines',
        place('/pipelines'),
        'A built-in channel is controlled by its module; remove "pipelines".',
      );
    if (!module && delivery.mode === 'pipeline') {
      report.add('module-or-pipelines', place(''), 'A built-in channel names the "module" that controls it.');
    }
    return;
  }
  if (module) {
    const message =
      'Only built-in channels are controlled by a code module; remove "module" and give "pipelines".';
    report.add('module-or-pipelines', place('/module'), message);
  }
  if (!has(draft, 'message') && delivery.mode === 'pipeline') {
    const message =
      'The channel has no Message pipeline, so it could send nothing; add "message" to "pipelines".';
    report.add('pipeline-missing', place('/pipelines', 'value'), message);
  }
}

function checkModeration(draft: Draft, analyses: readonly Analysis[], report: Report): void {
  const { communication, moderate } = draft.document;
  const place = { source: draft.source, pointer: '/moderate' };
  if (moderate && communication === 'direct') {
    report.add(
      'moderate-direct',
      place,
      'Only indirect channels are moderated; remove "moderate", or make the channel indirect.',
    );
    return;
  }
  const uses = analyses.flatMap((analysis) =>
    analysis.graph.pipes
      .filter((pipe) => pipe.pipe?.type === 'event' && String(pipe.params.event_type).startsWith('moderate_'))
      .map((pipe) => ({ analysis, pipe })),
  );
  if (moderate) {
    if (!has(draft, 'moderate')) {
      report.add(
        'pipeline-missing',
        place,
        'The channel is moderated, but has no Moderate pipeline; add "moderate" to "pipelines".',
      );
    } else if (!uses.some(({ pipe }) => pipe.params.event_type === 'moderate_pass')) {
      const message =
        'No pipe of the channel registers an event of type moderate_pass, so that no mailing could ever start; register it where the service says that it agrees.';
      report.add('moderate-without-pass', place, message);
    }
    return;
  }
  for (const { analysis, pipe } of uses) {
    const at = { source: analysis.pipeline.source, pointer: `${pipe.pointer}/params/event_type` };
    report.add(
      'moderate-event-unused',
      at,
      'The channel is not moderated, so nothing waits for this event; set "moderate": true, or remove the pipe.',
    );
  }
}

function checkStop(draft: Draft, report: Report): void {
  const { mailing_types: types, delivery } = draft.document;
  if (!types.includes('placement') || delivery.mode !== 'pipeline' || draft.document.kind === 'built_in')
    return;
  if (has(draft, 'stop')) return;
  const message =
    'The channel takes placement mailings, but has no Stop pipeline, so that what was placed stays there when the mailing is stopped; add "stop" to "pipelines".';
  report.add('stop-missing', { source: draft.source, pointer: '/mailing_types' }, message);
}

function checkUsed(draft: Draft, analyses: readonly Analysis[], report: Report): void {
  const { moderate, mailing_types: types, listener } = draft.document;
  const unused = (name: PipelineName, message: string) => {
    if (has(draft, name))
      report.add(
        'pipeline-unused',
        { source: draft.source, pointer: `/pipelines/${name}`, of: 'key' },
        message,
      );
  };
  if (!moderate)
    unused(
      'moderate',
      'The Moderate pipeline never runs, because the channel does not say "moderate": true.',
    );
  if (!types.includes('placement')) {
    unused(
      'stop',
      'The Stop pipeline never runs, because only placement mailings are stopped; add "placement" to "mailing_types".',
    );
  }
  const schedule = analyses.find((each) => each.pipeline.role === 'schedule');
  if (schedule?.graph.pipes.every((pipe) => schedule.carried(pipe) === undefined) === true) {
    unused(
      'schedule',
      'No "scheduled" pipe that is ever reached hands an event to the Schedule pipeline, so that it never runs.',
    );
  }
  if (listener !== undefined && !has(draft, 'listener')) {
    const message =
      'The channel has no Listener pipeline, so that "listener" means nothing; add "listener" to "pipelines".';
    report.add('listener-unused', { source: draft.source, pointer: '/listener', of: 'key' }, message);
  }
}
