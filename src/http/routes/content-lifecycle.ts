/** The review of content: submit, approve, reject, publish. */
import { TRANSITIONS } from '../../content/lifecycle.ts';
import { Failure } from '../../errors.ts';
import { type ContentStep, changeContent } from '../../flows/content/change-content.ts';
import { approveStep, publishStep, rejectStep, submitStep } from '../../flows/content/content-steps.ts';
import type { UnresolvedVariables } from '../../flows/directory/content-items.ts';
import type { Runtime } from '../../flows/runtime.ts';
import type { ItemRow } from '../../storage/content.ts';
import { checkedItem, note, seenVersion } from '../content-schemas.ts';
import { type ApiRequest, type Route, route } from '../route.ts';
import { objectSchema } from '../schemas.ts';
import { showWithChecks } from './content.ts';

interface StepRequest {
  readonly version?: number;
  readonly note?: string;
  readonly feedback?: unknown;
}

type Step = (
  item: ItemRow,
  nowMs: number,
  request: { caller: ApiRequest['caller']; body: StepRequest },
) => ContentStep;

const MOST_FEEDBACK = 2_000;

/** Routes of the review. `unresolvedVariables` says what keeps an item from being published. */
export function contentLifecycleRoutes(runtime: Runtime, unresolvedVariables: UnresolvedVariables): Route[] {
  const act = (call: 'submit' | 'approve' | 'reject' | 'publish', summary: string, step: Step) =>
    route<StepRequest>({
      method: 'POST',
      path: `/content/{id}/${call}`,
      action: 'content.write',
      tag: 'content',
      summary: `${summary} ${statesOf(call)}`,
      optionalBody: true,
      body: objectSchema(
        call === 'reject'
          ? {
              version: seenVersion,
              feedback: { description: `Required: a text of 1 to ${MOST_FEEDBACK} characters.` },
            }
          : { version: seenVersion, note },
      ),
      answers: { 200: { description: 'The item, with what its checks say.', schema: checkedItem } },
      run: async (request) => {
        if (call === 'reject') feedbackOf(request.body);
        const row = await changeContent(runtime, request, {
          call,
          id: request.params.id ?? '',
          seenVersion: request.body.version,
          step: (item, nowMs) => step(item, nowMs, request),
        });
        return { status: 200, body: showWithChecks(row) };
      },
    });

  return [
    act(
      'submit',
      'Submit a draft for review; it cannot be edited in the meantime.',
      (item, nowMs, { caller, body }) => submitStep(item, caller.userId, nowMs, body.note ?? null),
    ),
    act(
      'approve',
      'Approve what was reviewed. Anyone who submitted it cannot.',
      (item, nowMs, { caller, body }) => approveStep(item, caller.userId, nowMs, body.note ?? null),
    ),
    act('reject', 'Give it back as a draft, with feedback.', (_item, _nowMs, { body }) =>
      rejectStep(feedbackOf(body)),
    ),
    act('publish', 'Publish what was approved: customers get it from now on.', (item, nowMs, { body }) =>
      publishStep(item, nowMs, body.note ?? null, unresolvedVariables),
    ),
  ];
}

/** Throws REQUEST_MALFORMED: anyone who rejects says why. */
function feedbackOf({ feedback }: StepRequest): string {
  const length = typeof feedback === 'string' && feedback.trim() !== '' ? [...feedback].length : 0;
  if (typeof feedback === 'string' && length > 0 && length <= MOST_FEEDBACK) return feedback;
  const message = `Say why in "feedback", with 1 to ${MOST_FEEDBACK} characters, so that the author knows what to change.`;
  throw new Failure('REQUEST_MALFORMED', message, { problems: [{ pointer: '/feedback', message }] });
}

function statesOf(call: string): string {
  const rows = TRANSITIONS.filter((each) => each.call === call);
  return `From ${rows.map((each) => each.from).join(' or ')} to ${rows[0]?.to}.`;
}
