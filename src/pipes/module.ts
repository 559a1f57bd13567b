/**
 * `module`: hands the message of a built-in channel to the code module that controls it. No author writes this pipe: the
 * engine makes the plan of a built-in channel from it, so that claiming, retries, limits and trails are the same for all.
 */
import { Failure } from '../errors.ts';
import { isObject } from '../json.ts';
import { definePipe, MODULES, type RetryRule } from './contract.ts';
import { any, oneOf } from './params.ts';

/** Patient enough for greylisting: about an hour of tries. A message that must not come late has an expiry. */
const RETRY: RetryRule = Object.freeze({
  attempts: 14,
  on: ['network', 'timeout', 'rate_limited', 'temporary'],
  baseMs: 1_000,
  maxMs: 3_600_000,
  safe: false,
});

export const module = definePipe({
  type: 'module',
  summary: 'Sends a message by the code module of a built-in channel and registers what came of it.',
  params: {
    module: oneOf('The code module.', MODULES, { required: true }),
    sender: any('Its credentials and settings.', { required: true, templates: true }),
    resource: any('What the person is subscribed to.', { required: true, templates: true }),
    subscription: any('The address of the person.', { required: true, templates: true }),
    template: any('The rendered content.', { required: true, templates: true }),
  },
  needs: ['module', 'emit'],
  adds: () => ({}),
  errors: ['GATEWAY_REFUSED', 'GATEWAY_UNREACHABLE', 'GATEWAY_TIMEOUT', 'AUTH_FAILED', 'ADDRESS_FORBIDDEN'],
  examples: [],
  retry: () => RETRY,
  run: async (params, context) => {
    const { messageId } = context;
    if (messageId === undefined) {
      throw new Failure(
        'EVENT_WITHOUT_MESSAGE',
        'A code module sends messages, and this run belongs to none.',
      );
    }
    const { events } = await context.can.module({
      module: params.module,
      messageId,
      sender: valuesOf(params.sender),
      resource: valuesOf(params.resource),
      subscription: valuesOf(params.subscription),
      template: valuesOf(params.template),
    });
    for (const event of events) context.can.emit({ ...event, sendMessageId: messageId });
    return undefined;
  },
});

function valuesOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
