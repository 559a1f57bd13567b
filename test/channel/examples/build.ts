/** What an example of a wrong document is, and the documents from which they are made. */
import type { ChannelDocument } from '../../../src/channel/document.ts';
import type { FindingCode } from '../../../src/channel/rules/codes.ts';
import { check, direct, indirect, type TextOptions } from '../documents.ts';

type Document = Record<string, unknown>;

export interface Example {
  readonly code: FindingCode;
  readonly name: string;
  /** The document or its text. */
  readonly document: unknown;
  /** A part of the sentence. */
  readonly says: string;
  /** Where, if it is not the document as a whole. */
  readonly pointer?: string;
  readonly suggestion?: string;
  readonly file?: string;
  readonly options?: TextOptions;
}

/** A sound document with some members put in other's place. */
export function changed(document: Document, more: Document): Document {
  return { ...document, ...more };
}

export const pipe = (id: number, type: string, params?: Document, outs?: Document) => ({
  id,
  type,
  ...(params !== undefined && { params }),
  ...(outs !== undefined && { outs }),
});
export const hello = pipe(1, 'log', { message: 'Hi' });

/** A direct channel with this Message pipeline and no other one. */
export const sending = (...message: unknown[]) =>
  changed(direct(), { pipelines: { message }, listener: undefined });
export const withPipeline = (name: string, ...pipes: unknown[]) =>
  changed(direct(), { pipelines: { ...direct().pipelines, [name]: pipes } });
export const withField = (group: string, field: Document) =>
  changed(direct(), {
    fields: {
      ...direct().fields,
      [group]: [field, ...((direct().fields as Record<string, unknown[]>)[group] ?? [])],
    },
  });
export const withEvents = (...events: unknown[]) =>
  changed(direct(), { events: [...direct().events, ...events] });
export const withListener = (listener: Document) => changed(direct(), { listener });
export const wall = (more: Document) => changed(indirect(), more);
export const wallPipes = (pipes: unknown[]): TextOptions => ({
  pipelines: { 'acme_wall/message': JSON.stringify(pipes, null, 1) },
});
export const operation = (...pipeline: unknown[]) => {
  const [entity] = indirect().entities;
  return wall({
    entities: [
      {
        ...entity,
        operations: [
          { sid: 'list', name: 'List', input: [{ field: 'search', type: 'string', name: 'S' }], pipeline },
        ],
      },
    ],
  });
};
export const OPERATION = '/entities/0/operations/0/pipeline';

export const event = (sid: string, id: number) => ({ sid, id, name: 'E', color: '#000000', type: 'custom' });
export const previous = (more: Partial<ChannelDocument>): TextOptions => ({
  previous: { ...(check(direct()).document as ChannelDocument), ...more },
});

/** The sound direct channel as text. */
export const TEXT = JSON.stringify(direct(), null, 1);
