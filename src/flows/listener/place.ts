/** Where a value stands in a request: a header, a query name, or a path into the body. */
import type { Problem } from '../../errors.ts';
import { readPath, scanPath } from '../../expression/path.ts';
import { toText } from '../../expression/text.ts';
import { own, pointerTo } from '../../json.ts';
import type { RequestView } from './request-view.ts';

/** The text that stands there, or undefined. */
export type Read = (view: RequestView) => string | undefined;

/** Reads a header; the name may be written in any case. */
export function headerAt(name: string): Read {
  const key = name.toLowerCase();
  return ({ request }) => {
    const value = own(request.headers, key);
    return typeof value === 'string' ? value : undefined;
  };
}

/** Reads a query field; a repeated one is no value. */
export function queryAt(name: string): Read {
  return ({ request }) => {
    const value = own(request.form, name);
    return typeof value === 'string' ? value : undefined;
  };
}

/** Reads a text, number or boolean of the parsed body; undefined and a problem where `text` is not a path. */
export function bodyAt(text: string, pointer: string, problems: Problem[]): Read | undefined {
  const { path, end } = scanPath(text, 0, true);
  if (path.length === 0 || end !== text.length) {
    problems.push({
      pointer,
      message: `"${text}" is not a path into the body; write member names with dots, array positions as %0, and other keys in quotes: signature.'parent-signature'.`,
    });
    return undefined;
  }
  return (view) => {
    const value = readPath(view.data(), path);
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? toText(value)
      : undefined;
  };
}

export interface Place {
  readonly header?: string | undefined;
  readonly query?: string | undefined;
  readonly body?: string | undefined;
}

/** Reads from the one place that is given; undefined where none is. */
export function compilePlace(place: Place, pointer: string, problems: Problem[]): Read | undefined {
  const { header, query, body } = place;
  if (header !== undefined) return headerAt(header);
  if (query !== undefined) return queryAt(query);
  return body === undefined ? undefined : bodyAt(body, pointerTo(pointer, 'body'), problems);
}
