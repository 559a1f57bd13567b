/** A checked channel document compiled whole: its plans, its operations, and how its events are matched. */
import type { ChannelDocument, ChannelEvent, PipelineName } from '../channel/document.ts';
import { PIPELINE_NAMES } from '../channel/document.ts';
import { Failure } from '../errors.ts';
import type { EmittedEvent, Pipe } from '../pipes/contract.ts';
import { CONTROL_EVENT_TYPES } from '../pipes/event-types.ts';
import { compilePlan, type Plan } from './plan.ts';
import type { RunEvent } from './run-outcome.ts';

export interface CompiledChannel {
  readonly document: ChannelDocument;
  readonly plans: { readonly [N in PipelineName]?: Plan };
  /** By `<entity>/<operation>`. */
  readonly operations: ReadonlyMap<string, Plan>;
  readonly events: ReadonlyMap<number, ChannelEvent>;
  /** Matches an event with the declarations. Throws EVENT_UNDECLARED. */
  readonly declare: (event: EmittedEvent) => RunEvent;
}

/** Compiles a checked document. Throws DOCUMENT_INVALID if a pipeline could not run. */
export function compileChannel(
  document: ChannelDocument,
  lookup: (type: string) => Pipe | undefined,
): CompiledChannel {
  const plans: { [N in PipelineName]?: Plan } = {};
  const pipelines = document.module === undefined ? document.pipelines : modulePipelines(document.module);
  for (const name of PIPELINE_NAMES) {
    const pipeline = pipelines[name];
    if (pipeline !== undefined) plans[name] = compilePlan(name, pipeline, lookup);
  }
  const operations = new Map<string, Plan>();
  for (const entity of document.entities) {
    for (const operation of entity.operations) {
      const name = `${entity.sid}/${operation.sid}`;
      operations.set(name, compilePlan(name, operation.pipeline, lookup));
    }
  }
  const events = new Map(document.events.map((event) => [event.id, event]));
  return Object.freeze({ document, plans, operations, events, declare: declarer(document) });
}

/** What a built-in channel runs: one pipe, which no author can write. */
function modulePipelines(module: string): ChannelDocument['pipelines'] {
  const params = {
    module,
    sender: '$#sender',
    resource: '$#resource',
    subscription: '$#subscription',
    template: '$#template',
  };
  return { message: [{ id: 1, type: 'module', params }] };
}

function declarer(document: ChannelDocument): (event: EmittedEvent) => RunEvent {
  const bySid = new Map(document.events.map((event) => [event.sid, event]));
  const byId = new Map(document.events.map((event) => [event.id, event]));
  const control: ReadonlySet<string> = new Set(CONTROL_EVENT_TYPES);
  const known = document.events.map((event) => event.sid).join(', ') || 'none';
  return (event) => {
    if (event.eventType !== undefined && control.has(event.eventType)) {
      return { ...event, type: event.eventType, eventId: undefined };
    }
    const declared =
      event.sid !== undefined
        ? bySid.get(event.sid)
        : event.actionType !== undefined
          ? byId.get(event.actionType)
          : document.events.find((each) => each.type === event.eventType);
    if (declared === undefined) {
      const asked = event.sid ?? event.actionType ?? event.eventType ?? 'without a name';
      throw new Failure(
        'EVENT_UNDECLARED',
        `Channel "${document.sid}" declares no event ${JSON.stringify(asked)}; it declares: ${known}.`,
      );
    }
    return { ...event, type: declared.type, eventId: declared.id };
  };
}
