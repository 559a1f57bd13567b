/** The JSON Schemas for editors, as files of docs/schemas. */
import { channelSchema, channelTestSchema, pipelineSchema } from '../channel/schema.ts';

/** The text of each file by its name. */
export function schemaFiles(): Readonly<Record<string, string>> {
  const text = (schema: unknown) => `${JSON.stringify(schema, null, 2)}\n`;
  return {
    'channel.schema.json': text(channelSchema()),
    'pipeline.schema.json': text(pipelineSchema()),
    'channel-test.schema.json': text(channelTestSchema()),
  };
}
