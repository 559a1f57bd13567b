/** `http_request`: sends one HTTP request (channel format, section 7). */
import { Failure } from '../errors.ts';
import { definePipe, type HttpRequest, type PipeContext } from './contract.ts';
import { buildAuth } from './http-auth.ts';
import { buildBody } from './http-body.ts';
import { HTTP_EXAMPLES } from './http-examples.ts';
import { type Field, fieldsOf } from './http-fields.ts';
import { headerName, headerValue, requestHeaders } from './http-headers.ts';
import { HTTP_PARAMS, httpProblems, METHODS } from './http-params.ts';
import { retryRule } from './http-retry.ts';
import { assessAnswer } from './http-success.ts';
import { requestUrl } from './http-url.ts';
import type { ParamsOf } from './params.ts';

const NO_FIELDS: readonly Field[] = [];
const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({});

type HttpParams = ParamsOf<typeof HTTP_PARAMS>;

export const httpRequest = definePipe({
  type: 'http_request',
  aliases: ['http_requester'],
  summary:
    'Sends one HTTP request and puts the answer into `$in.status`, `$in.headers` and `$in.body`, after errors too.',
  params: HTTP_PARAMS,
  needs: ['http'],
  adds: () => ({ status: 'number', headers: 'object', body: 'bytes' }),
  errors: [
    'PIPE_PARAMS',
    'PIPE_INPUT',
    'HTTP_URL_INVALID',
    'HTTP_STATUS',
    'HTTP_REJECTED',
    'HTTP_NETWORK',
    'HTTP_TIMEOUT',
    'HTTP_RESPONSE_SIZE',
    'ADDRESS_FORBIDDEN',
    'AUTH_FAILED',
    'RATE_LIMITED',
    'JSONATA_FAILED',
    'EXPRESSION_LIMIT',
  ],
  examples: HTTP_EXAMPLES,
  retry: retryRule,
  check: httpProblems,
  run: async (params, context) => {
    const answer = await context.can.http(buildRequest(params, context));
    const { success_codes, success_when } = params;
    const assessed = assessAnswer(answer, success_codes, success_when, context.now);
    return { add: assessed instanceof Promise ? await assessed : assessed };
  },
});

function buildRequest(params: HttpParams, context: PipeContext): HttpRequest {
  const { content_type, form, query, limit } = params;
  const method = methodOf(params.method);
  const body = buildBody(content_type, method, form ?? NOTHING, context.in.body);
  return {
    method,
    url: requestUrl(params.url, urlFields(content_type, form, query)),
    headers: headersOf(params, context, body?.contentType),
    timeoutMs: Math.round(params.timeout * 1000),
    maxResponseBytes: params.max_response,
    redirects: params.redirects,
    body: body?.body,
    poolSize: params.pool_size,
    auth: buildAuth(params),
    limit: limit && {
      requests: limit.requests,
      perSeconds: limit.per,
      scope: limit.scope,
      ...(limit.burst !== undefined && { burst: limit.burst }),
    },
  };
}

/** What goes into the query string: the query, and a form that is sent there. */
function urlFields(
  contentType: HttpParams['content_type'],
  form: HttpParams['form'],
  query: HttpParams['query'],
): readonly Field[] {
  const formFields = contentType === 'form' && form !== undefined ? fieldsOf(form) : NO_FIELDS;
  if (query === undefined) return formFields;
  return [...fieldsOf(query), ...formFields];
}

function methodOf(rendered: string): string {
  const method = rendered.toUpperCase();
  if ((METHODS as readonly string[]).includes(method)) return method;
  throw new Failure(
    'PIPE_PARAMS',
    `"method" must be one of ${METHODS.join(', ')}; its template gave another value.`,
  );
}

/** The author's content type wins, except for multipart, whose boundary only the body knows. */
function headersOf(
  params: HttpParams,
  context: PipeContext,
  contentType: string | undefined,
): Readonly<Record<string, string>> {
  const headers = params.headers === undefined ? {} : requestHeaders(params.headers);
  if (
    contentType !== undefined &&
    (params.content_type === 'form-data' || !Object.hasOwn(headers, 'content-type'))
  ) {
    headers['content-type'] = contentType;
  }
  if (params.idempotency_header !== undefined) {
    if (context.messageId === undefined) {
      throw new Failure(
        'PIPE_PARAMS',
        'This run belongs to no message, so there is no id for "idempotency_header"; remove it, or set the header yourself in "headers".',
      );
    }
    const name = headerName(params.idempotency_header);
    headers[name] = headerValue(name, context.messageId);
  }
  return headers;
}
