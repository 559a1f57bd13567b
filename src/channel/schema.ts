/** The JSON Schemas (2020-12) of the documents that admins write, for their editors. */
import type { JsonObject } from '../json.ts';
import { channelSchema as channelOf, entitySchema, eventSchema, operationSchema } from './schema/channel.ts';
import { fieldRow } from './schema/field.ts';
import { pipelineSchema as pipelineOf } from './schema/pipeline.ts';
import { testSchema } from './schema/test.ts';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

function titled(title: string, schema: JsonObject): JsonObject {
  return { $schema: DIALECT, title, ...schema };
}

/** The schema of `channels/<sid>/channel.json`. */
export function channelSchema(): JsonObject {
  const parts = { row: { $ref: '#/$defs/row' }, pipeline: { $ref: '#/$defs/pipeline' } };
  return {
    ...titled(
      'Channel',
      channelOf({
        ...parts,
        event: eventSchema(),
        entity: entitySchema({ row: parts.row, operation: operationSchema(parts) }),
      }),
    ),
    $defs: { row: fieldRow(), pipeline: pipelineOf() },
  };
}

/** The schema of `pipelines/<sid>/*.json`. */
export function pipelineSchema(): JsonObject {
  return titled('Pipeline', pipelineOf());
}

/** The schema of `channels/<sid>/*.test.json`. */
export function channelTestSchema(): JsonObject {
  return titled('Channel tests', testSchema());
}
