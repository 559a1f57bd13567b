/** The page of all operator events, from their table. */
import { OPERATOR_EVENTS, type OperatorEventType } from '../flows/operator-event-types.ts';
import { type Json, type JsonObject, own } from '../json.ts';
import { code, jsonBlock, page, table } from './markdown.ts';

/** Writes the page. */
export function operatorEventsPage(): string {
  return page('Operator events', [
    'They are in `GET /api/v1/operator-events`, are sent to webhooks, and are lines of the log, whose text is the sentence below. ' +
      'A type never changes its meaning; members may be added to its data.',
    jsonBlock({ type: 'lane.resumed', timestamp: '2026-06-01T12:00:00.000Z', data: EXAMPLE }),
    ...Object.entries(OPERATOR_EVENTS).flatMap(([name, type]) => sectionOf(name, type)),
  ]);
}

const EXAMPLE = {
  lane: '100/0198e0a0-0000-7000-8000-000000000001/-/-/out',
  laneId: 7,
  channel: 'example_sms',
  sender: 'main',
};

function sectionOf(name: string, { summary, level, data }: OperatorEventType): string[] {
  const members = Object.entries(own(data, 'properties') as Readonly<Record<string, JsonObject>>);
  return [
    `## ${name}`,
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}. Level in the log: ${level}.`,
    table(
      ['data', 'type', 'meaning'],
      members.map(([member, schema]) => [code(member), typeOf(schema), String(schema.description ?? '')]),
    ),
  ];
}

function typeOf(schema: JsonObject): string {
  const { type, enum: values, format } = schema;
  if (Array.isArray(values)) return values.map(code).join(', ');
  const names = (Array.isArray(type) ? type : [type]).map((each: Json | undefined) =>
    each === 'string' && format === 'date-time' ? 'time' : WORDS[String(each)],
  );
  return names.join(' or ');
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  array: 'list',
  object: 'object',
  null: 'null',
};
