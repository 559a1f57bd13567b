/** The page of the content library: what its types hold, and what may follow what. */
import { TRANSITIONS } from '../content/lifecycle.ts';
import { CONTENT_TYPES } from '../content/types/catalog.ts';
import { isObject, own } from '../json.ts';
import { code, page, table } from './markdown.ts';

/** The types with their keys, and the table of transitions. */
export function contentPage(): string {
  const types = Object.values(CONTENT_TYPES).map(({ name, summary, schema }) => [
    code(name),
    summary,
    keysOf(schema),
  ]);
  const transitions = TRANSITIONS.map(({ call, from, to, who, notSubmitter, effect }) => [
    code(call),
    from ?? '–',
    to,
    who.join(', ') + (notSubmitter === true ? ', but not who submitted it' : ''),
    effect,
  ]);
  return page('Content', [
    'What the items of each type hold in `content`. Keys in bold are required.',
    table(['type', 'meaning', 'keys'], types),
    'What may follow what. Anything else is answered with 409 and changes nothing. `sync`, `sync_publish` and `sync_withdraw` are made by content sources, all others by calls of the API.',
    table(['call', 'from', 'to', 'who', 'effect'], transitions),
  ]);
}

function keysOf(schema: unknown): string {
  const required = own(schema, 'required');
  const properties = own(schema, 'properties');
  return Object.keys(isObject(properties) ? properties : {})
    .map((key) => (Array.isArray(required) && required.includes(key) ? `**${code(key)}**` : code(key)))
    .join(', ');
}
