/** Request headers: what an author may set. */
import { Failure } from '../errors.ts';
import { toText } from '../expression/text.ts';
import { setOwn } from '../json.ts';
import { createMemo } from '../memo.ts';

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const UNFIT = /[^\t\x20-\x7e\x80-\xff]/;

/** Set by the transport alone: a wrong one would let a body be read as a further request. */
const TRANSPORT: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Headers with names in lower case. Null is left out, an empty text stays, an array is joined with commas.
 * Throws PIPE_PARAMS for names and values that a header cannot carry; values are not quoted.
 */
export function requestHeaders(given: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [written, value] of Object.entries(given)) {
    if (value === null || value === undefined) continue;
    const name = headerName(written);
    if (Object.hasOwn(headers, name)) {
      throw new Failure(
        'PIPE_PARAMS',
        `The header "${name}" is given twice, in different spellings; keep one.`,
      );
    }
    const text = headerValue(name, Array.isArray(value) ? value.map(toText).join(', ') : toText(value));
    setOwn(headers, name, text);
  }
  return headers;
}

/** The name in lower case. Throws PIPE_PARAMS if it is none, or is not the author's to set. */
export const headerName: (written: string) => string = createMemo(checkedName);

function checkedName(written: string): string {
  const name = written.toLowerCase();
  if (!NAME.test(name)) {
    throw new Failure(
      'PIPE_PARAMS',
      `${JSON.stringify(written)} cannot name a header; use letters, digits and "-".`,
    );
  }
  if (TRANSPORT.has(name)) {
    throw new Failure('PIPE_PARAMS', `The header "${name}" is set by the engine; remove it.`);
  }
  return name;
}

/** The value itself. Throws PIPE_PARAMS if a header cannot carry it. */
export function headerValue(name: string, value: string): string {
  if (!UNFIT.test(value)) return value;
  throw new Failure(
    'PIPE_PARAMS',
    `The value of the header "${name}" has a line break or a character outside Latin-1, which a header cannot carry; encode it.`,
  );
}
