/** Rules: what is read from `$in` and `$error` was put there before, and the bodies that pipes work on are there. */
import type { Reference } from '../../expression/scope.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import type { Analysis } from '../analysis.ts';
import type { PipeUse } from '../read-pipeline.ts';
import type { Place, Report } from '../report.ts';
import type { Rule } from './context.ts';

/** Compares a reference to `$in` or `$error` with what is carried. */
export function checkCarried(
  reference: Reference,
  place: Place,
  pipe: PipeUse,
  { carried, names }: Analysis,
  report: Report,
): void {
  const { keyword, path, text, optional } = reference;
  const state = carried(pipe);
  if (state === undefined || (keyword !== 'in' && keyword !== 'error')) return;
  if (keyword === 'error') {
    if ((state.may & names.of(['$error'])) === 0n) {
      const message = `${text} exists only behind an error exit, but no "error" in "outs" leads here on any way.`;
      report.add('error-missing', place, message);
    }
    return;
  }
  const [first] = path;
  if (typeof first !== 'string' || (state.may & names.of(['$open'])) !== 0n) return;
  const bit = names.of([first]);
  if ((state.may & bit) === 0n) {
    const there = names.list(state.may);
    const near = nearName(first, there);
    const hint =
      first === 'data'
        ? ' Put an unpack before this pipe.'
        : didYouMean(near) || ` There are: ${listed(there)}.`;
    report.add(
      'in-missing',
      place,
      `${text}: nothing before this pipe puts "${first}" into $in.${hint}`,
      near,
    );
  } else if ((state.must & bit) === 0n && !optional) {
    const message = `${text}: "${first}" is in $in on some ways only; where it may be missing, write it as \${in.${first}?} or go another way.`;
    report.add('in-uncertain', place, message);
  }
}

const BODIED: ReadonlySet<unknown> = new Set(['json', 'xml', 'text', 'raw']);

export const checkBodies: Rule = (_draft, report, { analyses }) => {
  for (const { pipeline, graph, carried, names } of analyses) {
    for (const pipe of graph.pipes) {
      const state = carried(pipe);
      const need = needOf(pipe);
      if (state === undefined || need === undefined || (state.may & names.of(['$open'])) !== 0n) continue;
      const bit = names.of(['body']);
      const place = { source: pipeline.source, pointer: need.pointer };
      if ((state.may & bit) === 0n)
        report.add('body-missing', place, `${need.what}, but nothing before it makes one; ${need.advice}.`);
      else if ((state.must & bit) === 0n && need.certain) {
        report.add(
          'body-uncertain',
          place,
          `${need.what}, which is there on some ways only; ${need.advice} on every way.`,
        );
      }
    }
  }
};

function needOf({ pipe, params, pointer, sound }: PipeUse) {
  if (!sound) return undefined;
  const { content_type: type, method = 'GET' } = params;
  if (pipe?.type === 'http_request' && BODIED.has(type) && method !== 'GET' && method !== 'HEAD') {
    const advice =
      type === 'json' || type === 'xml'
        ? 'put a pack before it'
        : 'put a pack, or a transform named "body", before it';
    const what = `A request with content type "${String(type)}" sends $in.body`;
    return { pointer: `${pointer}/params/content_type`, what, advice, certain: true };
  }
  // Whether an answer came is usually asked by a selector before, so a body on some ways is enough.
  return pipe?.type === 'unpack'
    ? {
        pointer,
        what: 'An unpack reads $in.body',
        advice: 'put the request whose answer it reads before it',
        certain: false,
      }
    : undefined;
}
