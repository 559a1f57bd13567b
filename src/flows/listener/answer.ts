/** Answers of a listener: compiled from the document, rendered per request, or made from a result. */
import type { ListenerAnswer } from '../../channel/document.ts';
import { asFailure, Failure, type Problem } from '../../errors.ts';
import type { Scope } from '../../expression/scope.ts';
import { compileTemplate, type Template } from '../../expression/template.ts';
import { toText } from '../../expression/text.ts';
import { pointerTo } from '../../json.ts';

/** What the provider gets. An empty body is the empty string; header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** An answer, and what kept the declared one from being rendered; for the log. */
export interface RenderedAnswer {
  readonly answer: Answer;
  readonly problem?: Failure;
}

export interface CompiledAnswer {
  /** Never throws: gives the default answer and the problem. */
  readonly render: (scope: Scope) => Promise<RenderedAnswer>;
  /** The same status and headers around another body. */
  readonly around: (value: unknown, scope: Scope) => Promise<RenderedAnswer>;
}

/** 200 and empty. */
export const DEFAULT_ANSWER: Answer = Object.freeze({ status: 200, headers: Object.freeze({}), body: '' });

const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304]);
/** Headers that belong to the connection, not to the author. */
const RESERVED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'keep-alive',
]);
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What a header value may hold (RFC 9110, section 5.5); line breaks would start another header. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Compiles an answer of the document; collects what is wrong with it. */
export function compileAnswer(
  written: ListenerAnswer | string | undefined,
  pointer: string,
  problems: Problem[],
): CompiledAnswer {
  const {
    status = 200,
    content_type: contentType,
    headers = {},
    body = '',
  } = typeof written === 'string' ? { body: written } : (written ?? {});
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    problems.push({
      pointer: pointerTo(pointer, 'status'),
      message: 'The status of an answer is a whole number from 200 to 599.',
    });
  }
  if (BODYLESS.has(status) && body !== '') {
    problems.push({
      pointer: pointerTo(pointer, 'body'),
      message: `An answer with status ${status} has no body; leave "body" out or take another status.`,
    });
  }
  const bodyTemplate = compileTemplate(
    body,
    typeof written === 'string' ? pointer : pointerTo(pointer, 'body'),
  );
  problems.push(...bodyTemplate.problems);
  const headerTemplates = compileHeaders(headers, contentType, pointer, problems);
  const around = async (value: unknown, scope: Scope): Promise<RenderedAnswer> => {
    try {
      const rendered = await renderHeaders(headerTemplates, scope);
      return { answer: assemble(status, rendered, BODYLESS.has(status) ? undefined : value) };
    } catch (thrown) {
      return { answer: DEFAULT_ANSWER, problem: asFailure(thrown) };
    }
  };
  return {
    around,
    render: async (scope) => {
      try {
        return await around(await bodyTemplate.render(scope), scope);
      } catch (thrown) {
        return { answer: DEFAULT_ANSWER, problem: asFailure(thrown) };
      }
    },
  };
}

function assemble(status: number, headers: Map<string, string>, value: unknown): Answer {
  const { body, type } = bodyOf(value);
  if (body.length > 0) {
    if (!headers.has('content-type')) headers.set('content-type', type);
    // A body may repeat what the caller sent, so no browser may take it for a page.
    if (!headers.has('x-content-type-options')) headers.set('x-content-type-options', 'nosniff');
  }
  return { status, headers: Object.fromEntries(headers), body };
}

/** Text stays text, bytes stay bytes, anything else is JSON. */
function bodyOf(value: unknown): { readonly body: string | Buffer; readonly type: string } {
  if (value === undefined) return { body: '', type: '' };
  if (typeof value === 'string') return { body: value, type: 'text/plain; charset=utf-8' };
  if (value instanceof Uint8Array) return { body: Buffer.from(value), type: 'application/octet-stream' };
  return { body: value === null ? 'null' : toText(value), type: 'application/json' };
}

function compileHeaders(
  headers: Readonly<Record<string, string>>,
  contentType: string | undefined,
  pointer: string,
  problems: Problem[],
): ReadonlyMap<string, Template> {
  const templates = new Map<string, Template>();
  for (const [name, text] of Object.entries(headers)) {
    const at = pointerTo(pointerTo(pointer, 'headers'), name);
    if (!NAME.test(name)) problems.push({ pointer: at, message: `"${name}" is not a header name.` });
    if (RESERVED.has(name.toLowerCase())) {
      problems.push({ pointer: at, message: `The server sets "${name}" itself; leave it out.` });
    }
    templates.set(name.toLowerCase(), compileTemplate(text, at));
  }
  if (contentType !== undefined) {
    templates.set('content-type', compileTemplate(contentType, pointerTo(pointer, 'content_type')));
  }
  for (const template of templates.values()) problems.push(...template.problems);
  return templates;
}

async function renderHeaders(
  templates: ReadonlyMap<string, Template>,
  scope: Scope,
): Promise<Map<string, string>> {
  const headers = new Map<string, string>();
  for (const [name, template] of templates) {
    const value = toText(await template.render(scope));
    if (!VALUE.test(value)) {
      throw new Failure(
        'REQUEST_INVALID',
        `The header "${name}" of the answer came out with characters that a header cannot carry, such as a line break; the default answer was given.`,
      );
    }
    headers.set(name, value);
  }
  return headers;
}
