/** The API as an OpenAPI 3.1 document, from the same objects that check its requests. */
import type { Hono } from 'hono';
import { PERMISSIONS } from '../access/permissions.ts';
import { FAILURES } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Route } from './route.ts';

const PREFIX = '/api/v1';
const DOCUMENT_PATH = `${PREFIX}/openapi.json`;

const TAGS: Readonly<Record<string, string>> = {
  messages: 'Send single messages and see what became of them.',
  mailings: 'Campaigns: template, sender, resource, audience.',
  content: 'The content library: items, their review, their versions.',
  channels: 'Ways to reach people: documents, checks, dry runs, operations.',
  'operator-events':
    'What anyone who runs the engine is told: open lanes, ended mailings, messages that were given up.',
  webhooks: 'Where operator events are sent.',
};

/** Makes the document. */
export function openapiOf(routes: readonly Route[]): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) {
    const path = `${PREFIX}${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  paths[DOCUMENT_PATH] = { get: documentOperation };
  const tags = [...new Set([...routes.map((route) => route.tag), 'openapi'])].map((name) => {
    const description = Object.hasOwn(TAGS, name) ? TAGS[name] : undefined;
    return { name, ...(description !== undefined && { description }) };
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluiceway',
      version: '1',
      description:
        'JSON in and out, camelCase; times are ISO 8601. Unknown members are refused. Errors are problem+json with a stable code.',
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags,
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of POST /api/v1/tokens, or of a session.',
        },
      },
      schemas: { Problem: problemSchema() },
      responses: {
        Problem: {
          description: 'What went wrong, with a stable code.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

/** Adds `GET /api/v1/openapi.json`, which needs no token. */
export function mountOpenapi(app: Hono, routes: readonly Route[]): void {
  let text: string | undefined;
  app.get(DOCUMENT_PATH, (context) => {
    text ??= JSON.stringify(openapiOf(routes));
    return context.body(text, 200, { 'content-type': 'application/json' });
  });
}

function operationOf(route: Route): JsonObject {
  const { action } = route;
  const parameters = [...pathParameters(route), ...queryParameters(route), ...keyParameter(route)];
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    ...(action === 'open'
      ? { description: 'No token is needed.', security: [] }
      : { description: `Roles: ${PERMISSIONS[action].join(', ')}.` }),
    ...(parameters.length > 0 && { parameters }),
    ...bodyOf(route),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, answer]) => [status, answerOf(answer)]),
      ),
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

/** `GET /channels/{sid}` → `getChannelsBySid`. */
function operationId({ method, path }: Route): string {
  const words = path
    .split('/')
    .filter((part) => part !== '')
    .flatMap((part) => (part.startsWith('{') ? ['by', ...part.slice(1, -1).split(/\W/)] : part.split(/\W/)));
  const named = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return method.toLowerCase() + named.join('');
}

function pathParameters({ path }: Route): JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters({ query = {} }: Route): JsonObject[] {
  return Object.entries(query).map(([name, schema]) => {
    const { description, ...rest } = schema as JsonObject;
    return { name, in: 'query', ...(description !== undefined && { description }), schema: rest };
  });
}

function keyParameter({ method, action, stream }: Route): JsonObject[] {
  if (method === 'GET' || action === 'open' || stream !== undefined) return [];
  return [
    {
      name: 'Idempotency-Key',
      in: 'header',
      description:
        'The write happens once for each key; a repeat gets the same answer, also one that comes while the first is under way. After ten seconds it gets 409 REQUEST_IN_PROGRESS with Retry-After.',
      schema: { type: 'string', maxLength: 255 },
    },
  ];
}

function bodyOf({ body, stream, optionalBody }: Route): JsonObject {
  if (stream !== undefined) {
    const content = stream.map((type) => [type, { schema: { type: 'string' } }]);
    return { requestBody: { required: true, content: Object.fromEntries(content) } };
  }
  if (body === undefined) return {};
  const required = optionalBody !== true;
  return { requestBody: { required, content: { 'application/json': { schema: body } } } };
}

function answerOf({ description, schema, also = [] }: Route['answers'][number]): JsonObject {
  const others = also.map((type) => [type, { schema: { type: 'string' } }]);
  if (schema === undefined)
    return { description, ...(others.length > 0 && { content: Object.fromEntries(others) }) };
  return { description, content: { 'application/json': { schema }, ...Object.fromEntries(others) } };
}

function problemSchema(): JsonObject {
  return {
    type: 'object',
    description: 'RFC 9457.',
    properties: {
      type: { type: 'string', format: 'uri' },
      title: { type: 'string' },
      status: { type: 'integer' },
      code: {
        enum: Object.keys(FAILURES),
        description: 'Never changes its meaning; docs/reference/errors.md.',
      },
      detail: { type: 'string', description: 'A full sentence that says what to do.' },
      problems: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            pointer: { type: 'string', description: 'Into the request or the document, RFC 6901.' },
            message: { type: 'string' },
          },
          required: ['pointer', 'message'],
          additionalProperties: {
            description: 'Findings of channels: severity, code, line, column, suggestion.',
          },
        },
      },
      error: { type: 'object', description: 'The code of the `error` pipe that ended an operation.' },
    },
    required: ['type', 'title', 'status', 'code', 'detail', 'problems'],
  };
}

const documentOperation: JsonObject = Object.freeze({
  operationId: 'getOpenapi',
  tags: ['openapi'],
  summary: 'This document.',
  security: [],
  responses: {
    200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
  },
});
