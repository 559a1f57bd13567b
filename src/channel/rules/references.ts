/** Rules: expressions are written correctly and read what is declared and there (channel format, section 5). */
import type { Keyword, Reference } from '../../expression/scope.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import type { Analysis } from '../analysis.ts';
import type { Draft } from '../draft.ts';
import type { PipeUse } from '../read-pipeline.ts';
import type { Place, Report } from '../report.ts';
import { checkCarried } from './carried.ts';
import type { Rule, RuleContext } from './context.ts';

export const checkReferences: Rule = (draft, report, context) => {
  for (const analysis of context.analyses) {
    for (const pipe of analysis.graph.pipes) {
      const { references, problems } = analysis.reading(pipe);
      const { source } = analysis.pipeline;
      for (const { code, pointer, message, suggestion } of problems)
        report.add(code, { source, pointer }, message, suggestion);
      for (const reference of references) {
        const place = { source, pointer: reference.pointer };
        if (!checkPersonal(reference, place, draft, report)) continue;
        if (!checkAvailable(reference, place, pipe, analysis, report)) continue;
        checkMember(reference, place, report, context);
        checkOrigin(reference, place, analysis, report);
        checkCarried(reference, place, pipe, analysis, report);
        if (SHOWING.has(pipe.pipe?.type ?? '')) checkSecret(reference, place, report, context);
      }
    }
  }
};

const PERSONAL: ReadonlySet<Keyword> = new Set(['subscription', 'profile']);
/** Keywords of a message. */
const OF_MESSAGE: ReadonlySet<Keyword> = new Set([
  'template',
  'resource',
  'campaign',
  'subscription',
  'camp_schedule',
  'profile',
  'message',
]);
/** Pipes whose params are read by people. */
const SHOWING: ReadonlySet<string> = new Set(['log', 'event', 'error', 'result']);

/** False where the channel may not read it. */
export function checkPersonal(
  { keyword, text }: Reference,
  place: Place,
  draft: Draft,
  report: Report,
): boolean {
  if (!PERSONAL.has(keyword) || draft.document.communication === 'direct') return true;
  const message = `${text} is personal data, but an indirect channel sends one content to all; remove it, or make the channel direct.`;
  report.add('personal-data', place, message);
  return false;
}

/** False where the keyword does not exist. */
function checkAvailable(
  { keyword, text, optional }: Reference,
  place: Place,
  pipe: PipeUse,
  { pipeline, carried, names }: Analysis,
  report: Report,
): boolean {
  const state = carried(pipe);
  if (!OF_MESSAGE.has(keyword) || state === undefined) return true;
  const mark = names.of(['$message']);
  if ((state.must & mark) !== 0n) return true;
  if ((state.may & mark) !== 0n) {
    if (!optional) {
      const message = `${text} is there only where the event was scheduled for a message, but this pipe is also reached from the listener; hand the value over in "template" and read it from $in.`;
      report.add('keyword-uncertain', place, message);
    }
    return true;
  }
  const advice =
    pipeline.role === 'operation'
      ? 'an operation reads its input from $in, and $sender, $account'
      : 'there are $in, $origin, $sender, $account, $channel and $now';
  const message = `${text} belongs to a message, but ${whatRuns(pipeline.role)} belongs to none; ${advice}.`;
  report.add('keyword-unavailable', place, message);
  return false;
}

function whatRuns(role: string): string {
  if (role === 'operation') return 'a run of an operation';
  return role === 'schedule' ? 'what the listener scheduled' : 'a request of the provider';
}

/** Members that the declarations know. */
export function checkMember(
  { keyword, path, text }: Reference,
  place: Place,
  report: Report,
  { members }: Pick<RuleContext, 'members'>,
): void {
  const [first] = path;
  const known = members(keyword);
  if (first === undefined || known === undefined || (typeof first === 'string' && known.names.has(first)))
    return;
  if (keyword === 'now') {
    report.add(
      'reference-unknown',
      place,
      `${text}: $now is a text, the time of the run; it has no members.`,
    );
    return;
  }
  const near = typeof first === 'string' ? nearName(first, known.names) : undefined;
  const message = `${text}: ${known.what} have no "${first}".${didYouMean(near) || ` There are: ${listed(known.names)}.`}`;
  report.add('reference-unknown', place, message, near);
}

function checkOrigin(
  { keyword, path, text }: Reference,
  place: Place,
  { origin }: Analysis,
  report: Report,
): void {
  const [first] = path;
  if (keyword !== 'origin' || first === undefined || origin === undefined) return;
  if (typeof first === 'string' && origin.includes(first)) return;
  const near = typeof first === 'string' ? nearName(first, origin) : undefined;
  const message = `${text}: what enters this pipeline has no "${first}".${didYouMean(near) || ` It has: ${listed(origin)}.`}`;
  report.add('reference-unknown', place, message, near);
}

/** Secrets that would be written where people read. */
export function checkSecret(
  { keyword, path, text }: Reference,
  place: Place,
  report: Report,
  { members }: Pick<RuleContext, 'members'>,
): void {
  const secrets = members(keyword)?.secrets;
  const [first] = path;
  if (secrets === undefined || secrets.size === 0) return;
  if (first === undefined) {
    const message = `${text} holds secret fields (${listed(secrets)}); name the member that is meant.`;
    report.add('secret-exposed', place, message);
  } else if (typeof first === 'string' && secrets.has(first)) {
    report.add(
      'secret-exposed',
      place,
      `${text} is secret; it would be shown as *** or refused here, so leave it out.`,
    );
  }
}
