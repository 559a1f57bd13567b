/** The timestamp of a signature: where it stands, and whether it is close enough to our clock. */
import type { Problem } from '../../errors.ts';
import { pointerTo } from '../../json.ts';
import { bodyAt, headerAt, type Read } from './place.ts';
import type { RequestView } from './request-view.ts';
import type { Resolved } from './resolve-verification.ts';

export interface Timestamp {
  /** Its text as it was sent. `parts` are the parts of the signature. */
  readonly read: (view: RequestView, parts: readonly string[]) => string | undefined;
  /** True within the tolerance, into the past and into the future; always where there is none. */
  readonly current: (text: string | undefined, nowMs: number) => boolean;
}

type Format = NonNullable<Resolved['timestamp_format']>;

/** Compiles the timestamp members of a verification. */
export function compileTimestamp(verification: Resolved, pointer: string, problems: Problem[]): Timestamp {
  const { timestamp_prefix: prefix, timestamp_format: format = 'seconds', tolerance } = verification;
  const place = compileTimestampPlace(verification, pointer, problems);
  return {
    read: (view, parts) =>
      prefix === undefined
        ? place(view)?.trim()
        : parts.find((part) => part.startsWith(prefix))?.slice(prefix.length),
    current: (text, nowMs) => {
      if (tolerance === undefined) return true;
      const seconds = text === undefined ? undefined : secondsOf(text, format);
      return seconds !== undefined && Math.abs(Math.floor(nowMs / 1000) - seconds) <= tolerance;
    },
  };
}

function compileTimestampPlace(verification: Resolved, pointer: string, problems: Problem[]): Read {
  const { timestamp_header: header, timestamp_body: body } = verification;
  if (header !== undefined) return headerAt(header);
  const read = body === undefined ? undefined : bodyAt(body, pointerTo(pointer, 'timestamp_body'), problems);
  return read ?? (() => undefined);
}

/** Whole seconds since 1970, as providers compare them; undefined if the text is no timestamp. */
function secondsOf(text: string, format: Format): number | undefined {
  if (format === 'iso') {
    const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(text)
      ? Date.parse(text)
      : Number.NaN;
    return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
  }
  if (!/^\d{1,15}$/.test(text)) return undefined;
  return format === 'seconds' ? Number(text) : Math.floor(Number(text) / 1000);
}
