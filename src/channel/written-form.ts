/** A checked document as its author would write it: what the check added for the engine is taken back. */
import type { ChannelDocument } from './document.ts';

/** The document with its pipelines inline and all ids named; stored again, it changes nothing. */
export function writtenForm(document: ChannelDocument): Readonly<Record<string, unknown>> {
  const { kind: _kind, limits, ...rest } = document;
  if (limits === undefined) return rest;
  const { perSeconds, ...limit } = limits;
  return { ...rest, limits: { ...limit, per: perSeconds } };
}
