/** Pipelines as a Mermaid flowchart. Whatever an author wrote reaches it as text only, never as its syntax. */
import type { PipeDocument, PipelineDocument } from '../channel/document.ts';
import { namedPipes } from '../channel/named-pipes.ts';
import { own } from '../json.ts';
import { pipeOf } from '../pipes/catalog.ts';

export interface NamedPipeline {
  readonly name: string;
  readonly pipeline: PipelineDocument;
}

const LONGEST = 60;

/** A flowchart with one subgraph for each pipeline. */
export function drawPipelines(pipelines: readonly NamedPipeline[]): string {
  const places = new Map(pipelines.map(({ name }, index) => [name, `p${index + 1}`]));
  const blocks = pipelines.flatMap(({ name, pipeline }) => {
    const place = places.get(name) ?? '';
    return [
      `  subgraph ${place} ["${escaped(name)}"]`,
      ...pipeline.map((pipe, index) => `    ${nodeOf(place, pipe, index === 0)}`),
      ...pipeline.flatMap((pipe) => edgesOf(place, pipe).map((edge) => `    ${edge}`)),
      '  end',
    ];
  });
  const later = pipelines.flatMap(({ name, pipeline }) =>
    pipeline.flatMap((pipe) => laterEdges(places.get(name) ?? '', pipe, places.get('schedule'))),
  );
  return `${['flowchart TD', ...blocks, ...later].join('\n')}\n`;
}

function nodeOf(place: string, { id, type, note }: PipeDocument, first: boolean): string {
  const name = `${id} ${type}`;
  const label = note === undefined ? escaped(name) : `${escaped(name)}<br/>${escaped(note)}`;
  // The entry is round, so that it is found at once.
  return first ? `${place}_${id}(["${label}"])` : `${place}_${id}["${label}"]`;
}

function edgesOf(place: string, pipe: PipeDocument): string[] {
  const from = `${place}_${pipe.id}`;
  const edge = (label: string, to: number) => `${from} -->|"${escaped(label)}"| ${place}_${to}`;
  const { success, error } = pipe.outs ?? {};
  const named = namedPipes(pipeOf(pipe.type)?.params ?? {}, pipe.params, '', 'exit');
  return [
    ...named.map(({ id, pointer }) => edge(labelOf(pipe, pointer), id)),
    ...(success === undefined ? [] : [edge('success', success)]),
    ...(error === undefined ? [] : [edge('error', error)]),
  ];
}

/** What leads to the Schedule pipeline; drawn only where that is drawn too. */
function laterEdges(place: string, pipe: PipeDocument, schedule: string | undefined): string[] {
  if (schedule === undefined) return [];
  return namedPipes(pipeOf(pipe.type)?.params ?? {}, pipe.params, '', 'entry').map(
    ({ id }) => `  ${place}_${pipe.id} -.->|"later"| ${schedule}_${id}`,
  );
}

/** The condition of a branch, or the name of the param that names the pipe. */
function labelOf({ params }: PipeDocument, pointer: string): string {
  const [, name = '', index] = pointer.split('/');
  const value = own(params, name);
  const branch = Array.isArray(value) ? value[Number(index)] : undefined;
  const condition = own(branch, 'query') ?? own(branch, 'when');
  return typeof condition === 'string' ? condition : name;
}

/** Text for inside the quotes of a label: characters that mean something to Mermaid or HTML stand as their codes. */
function escaped(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  const characters = [...line];
  const short = characters.length <= LONGEST ? line : `${characters.slice(0, LONGEST).join('')}…`;
  // A dot after a number at the start, and every dash, could make it a list.
  return short.replaceAll(
    /[^\p{L}\p{N} .,:/…_=]|(?<=^\d+)\./gu,
    (character) => `#${character.codePointAt(0)};`,
  );
}
