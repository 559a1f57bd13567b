/** `sluiceway graph <channel> [--pipeline p]`: the pipelines of a channel as a Mermaid flowchart. */
import { type ChannelDocument, PIPELINE_NAMES, type PipelineDocument } from '../channel/document.ts';
import { Failure } from '../errors.ts';
import { didYouMean, listed, nearName } from '../near.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { findChannel } from './find-channel.ts';
import { drawPipelines } from './mermaid.ts';

export async function runGraph(args: readonly string[], context: CommandContext): Promise<number> {
  const { places, options } = readArguments('graph', args);
  const channel = await findChannel(places[0] ?? '', context.environment);
  const pipelines = pipelinesOf(channel);
  const wanted = options.pipeline === undefined ? [...pipelines.keys()] : [options.pipeline];
  const chosen = wanted.map((name) => {
    const pipeline = pipelines.get(name);
    if (pipeline !== undefined) return { name, pipeline };
    const known = [...pipelines.keys()];
    throw new Failure(
      'NOT_FOUND',
      `Channel "${channel.sid}" has no pipeline "${name}"; it has: ${listed(known)}.${didYouMean(nearName(name, known))}`,
    );
  });
  const mermaid = drawPipelines(chosen);
  context.stdout.write(
    options.json
      ? `${JSON.stringify({ channel: channel.sid, pipelines: wanted, mermaid }, null, 2)}\n`
      : mermaid,
  );
  return 0;
}

/** All pipelines by name; those of operations as `<entity>/<operation>`. */
function pipelinesOf(channel: ChannelDocument): ReadonlyMap<string, PipelineDocument> {
  const own = PIPELINE_NAMES.flatMap((name): [string, PipelineDocument][] => {
    const pipeline = channel.pipelines[name];
    return pipeline === undefined ? [] : [[name, pipeline]];
  });
  const operations = channel.entities.flatMap((entity) =>
    entity.operations.map(({ sid, pipeline }): [string, PipelineDocument] => [
      `${entity.sid}/${sid}`,
      pipeline,
    ]),
  );
  return new Map([...own, ...operations]);
}
