/** The schema of a pipeline document: each pipe type with the params that it declares. */
import type { JsonObject } from '../../json.ts';
import { pipes } from '../../pipes/catalog.ts';
import type { Pipe } from '../../pipes/contract.ts';
import { paramsSchema } from '../../pipes/params.ts';
import { choice, dictionary, record, text, whole } from './words.ts';

/** Pipes in one pipeline. */
export const MAX_PIPES = 1_000;

/** A word of JSON Schema, written so that no object here looks like a promise. */
const THEN = 'then';

/** What every pipe has, whatever its type. */
export const pipeShape = (type: JsonObject, params: JsonObject): JsonObject =>
  record(
    'A pipe.',
    {
      id: whole('The id, unique in its pipeline.', { minimum: 1, maximum: 2_147_483_647 }),
      type,
      params,
      outs: record('Where the event goes next. An exit that is left out ends the run there.', {
        success: whole('The pipe after success.', { minimum: 1 }),
        error: whole('The pipe after an error; without it the run fails, visibly.', { minimum: 1 }),
      }),
      note: text('A free comment.'),
    },
    ['id', 'type'],
  );

/** An array of pipes, in the form with which editors complete best: one condition per type. */
export const pipelineSchema = (): JsonObject => ({
  type: 'array',
  description: 'A pipeline: an array of pipes, of which the first is the entry.',
  minItems: 1,
  maxItems: MAX_PIPES,
  items: {
    ...pipeShape(
      choice(
        'What the pipe does.',
        pipes.flatMap((pipe) => [pipe.type, ...(pipe.aliases ?? [])]),
      ),
      dictionary('What it does it with.'),
    ),
    allOf: pipes.map(whenType),
  },
});

function whenType(pipe: Pipe): JsonObject {
  const { required } = paramsSchema(pipe.params);
  return {
    if: { properties: { type: { enum: [pipe.type, ...(pipe.aliases ?? [])] } }, required: ['type'] },
    [THEN]: {
      properties: {
        type: { description: pipe.summary },
        params: { ...paramsSchema(pipe.params), description: `Params of ${pipe.type}.` },
      },
      ...(required !== undefined && { required: ['params'] }),
    },
  };
}
