/**
 * The listener of a channel, compiled once per version: answers to handshakes, verification, the name of a repeated
 * request, and the answer. Pure: the clock is given, nothing is read or stored.
 *
 * The flow calls, in this order: `early`; `verify`, where only `true` lets the request in; `dedupeKey`; and after the
 * commit `answer`, or `resultAnswer` after the run where the document says `"answer": "result"`. `scope` holds
 * `$sender`, `$account`, `$channel` and `$now`; what the expressions see of the request is in request-view.ts.
 * Nothing here throws because of a request.
 */
import { createHash } from 'node:crypto';
import type { Listener } from '../../channel/document.ts';
import { asFailure, Failure, type Problem } from '../../errors.ts';
import { compileJsonata, type Expression } from '../../expression/jsonata.ts';
import type { Scope } from '../../expression/scope.ts';
import { compileTemplate } from '../../expression/template.ts';
import { toText } from '../../expression/text.ts';
import { pointerTo } from '../../json.ts';
import { type Answer, type CompiledAnswer, compileAnswer, type RenderedAnswer } from './answer.ts';
import type { RequestIn } from './request-in.ts';
import { type RequestView, viewRequest } from './request-view.ts';
import { compileVerify } from './verify-request.ts';

/** What `responses` gave: an answer, or none; and the first problem on the way, for the log. */
export interface EarlyOutcome {
  readonly answer: Answer | undefined;
  readonly problem?: Failure;
}

export interface CompiledListener {
  /** The first of `responses` that holds. An entry with `"verified": true` holds only where `verify` is `true`. */
  readonly early: (request: RequestIn, scope: Scope, nowMs: number) => Promise<EarlyOutcome>;
  /**
   * `true` is the one value that lets a request in. `false`: the signature is missing or wrong. A Failure: it could not
   * be told (a secret is not filled in, the address is not known); refused with its status, its message for the log.
   */
  readonly verify: (request: RequestIn, scope: Scope, nowMs: number) => boolean | Failure;
  /** The name of the request; undefined if there is none, so that it is never taken for a repeat. */
  readonly dedupeKey: (request: RequestIn, scope: Scope) => string | undefined;
  readonly answer: (request: RequestIn, scope: Scope) => Promise<RenderedAnswer>;
  /** `value` in the status and headers of `response`; without a value the ordinary answer. */
  readonly resultAnswer: (value: unknown, request: RequestIn, scope: Scope) => Promise<RenderedAnswer>;
  /** The document says `"answer": "result"`. */
  readonly answersResult: boolean;
}

/** Compiles a listener. Throws DOCUMENT_INVALID, with a place for each problem, where it could not work. */
export function compileListener(listener: Listener | undefined, pointer = '/listener'): CompiledListener {
  const { response, responses = [], verify: written, dedupe, answer: answers } = listener ?? {};
  const problems: Problem[] = [];
  const view = sharedViews();
  const check = compileVerify(written, pointerTo(pointer, 'verify'), problems);
  const entries = responses.map((entry, index) => {
    const at = pointerTo(pointerTo(pointer, 'responses'), index);
    if (entry.verified === true && written === undefined) {
      problems.push({
        pointer: pointerTo(at, 'verified'),
        message: '"verified" needs a "verify" in this listener.',
      });
    }
    return {
      when: compileWhen(entry.when, pointerTo(at, 'when'), problems),
      verified: entry.verified === true,
      answer: compileAnswer(entry, at, problems),
    };
  });
  const ordinary = compileAnswer(response, pointerTo(pointer, 'response'), problems);
  const name =
    dedupe === undefined ? undefined : compileDedupe(dedupe, pointerTo(pointer, 'dedupe'), problems);
  const [first] = problems;
  if (first !== undefined) {
    throw new Failure('DOCUMENT_INVALID', `${first.pointer}: ${first.message}`, { problems });
  }
  return Object.freeze({
    early: (request: RequestIn, scope: Scope, nowMs: number) =>
      answerEarly(entries, view(request), scope, () => check(view(request), scope, nowMs) === true),
    verify: (request: RequestIn, scope: Scope, nowMs: number) => check(view(request), scope, nowMs),
    dedupeKey: (request: RequestIn, scope: Scope) => name?.(view(request).within(scope)),
    answer: (request: RequestIn, scope: Scope) => ordinary.render(view(request).within(scope)),
    resultAnswer: (value: unknown, request: RequestIn, scope: Scope) => {
      const within = view(request).within(scope);
      return value === undefined ? ordinary.render(within) : ordinary.around(value, within);
    },
    answersResult: answers === 'result',
  });
}

/** One view per request, so that its body is parsed once for all questions. */
function sharedViews(): (request: RequestIn) => RequestView {
  const views = new WeakMap<RequestIn, RequestView>();
  return (request) => {
    const known = views.get(request);
    if (known !== undefined) return known;
    const view = viewRequest(request);
    views.set(request, view);
    return view;
  };
}

interface Entry {
  readonly when: Expression | undefined;
  readonly verified: boolean;
  readonly answer: CompiledAnswer;
}

async function answerEarly(
  entries: readonly Entry[],
  view: RequestView,
  scope: Scope,
  genuine: () => boolean,
): Promise<EarlyOutcome> {
  if (entries.length === 0) return { answer: undefined };
  let problem: Failure | undefined;
  const within = view.within(scope);
  const variables = view.variables();
  for (const { when, verified, answer } of entries) {
    try {
      if ((await when?.evaluate(within, variables)) !== true) continue;
    } catch (thrown) {
      // A condition that fails on this request does not hold for it.
      problem ??= asFailure(thrown);
      continue;
    }
    if (verified && !genuine()) continue;
    const rendered = await answer.render(within);
    problem ??= rendered.problem;
    return { answer: rendered.answer, ...(problem === undefined ? {} : { problem }) };
  }
  return { answer: undefined, ...(problem === undefined ? {} : { problem }) };
}

function compileWhen(text: string, pointer: string, problems: Problem[]): Expression | undefined {
  try {
    return compileJsonata(text, pointer);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    problems.push({ pointer, message: thrown.message });
    return undefined;
  }
}

/** Names up to this length are kept as they are. */
const MAX_NAME = 200;

function compileDedupe(
  text: string,
  pointer: string,
  problems: Problem[],
): (scope: Scope) => string | undefined {
  const template = compileTemplate(text, pointer);
  problems.push(...template.problems);
  if (template.problems.length === 0 && template.constant) {
    problems.push({
      pointer,
      message: `"dedupe" gives every request the same name, so all but the first would be taken for repeats; name the request by a value of its own, such as $in.data.id.`,
    });
  }
  return (scope) => {
    try {
      const name = toText(template.render(scope));
      if (name === '') return undefined;
      // PostgreSQL keeps neither NUL nor half a surrogate pair in a text.
      const plain = name.length <= MAX_NAME && !name.includes('\0') && name.isWellFormed();
      return plain ? name : `sha256:${createHash('sha256').update(name, 'utf16le').digest('hex')}`;
    } catch {
      return undefined;
    }
  };
}
