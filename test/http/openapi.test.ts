import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { mountOpenapi, openapiOf } from '../../src/http/openapi.ts';
import { type Route, route } from '../../src/http/route.ts';
import { objectSchema, sid } from '../../src/http/schemas.ts';
import { isObject, own } from '../../src/json.ts';
import { openapiDocument } from '../../src/reference/openapi-document.ts';
import { at } from '../support/answers.ts';

const routes: readonly Route[] = [
  route<{ name: string }>({
    method: 'PUT',
    path: '/things/{sid}/parts/{id}',
    action: 'channels.write',
    tag: 'things',
    summary: 'Change a part.',
    query: { deep: { type: 'boolean', description: 'All of it.' } },
    body: objectSchema({ name: sid }, ['name']),
    answers: {
      200: { description: 'The part.', schema: sid, also: ['text/csv'] },
      204: { description: 'Nothing.' },
    },
    run: async () => ({ status: 204 }),
  }),
  route({
    method: 'POST',
    path: '/things/import',
    action: 'read',
    tag: 'things',
    summary: 'Bring things in.',
    stream: ['application/x-ndjson', 'text/csv'],
    answers: { 200: { description: 'Done.' } },
    run: async () => ({ status: 200 }),
  }),
];

describe('the OpenAPI document', () => {
  it('says what a route takes, gives, and who may call it', () => {
    const document = openapiOf(routes);
    const put = at(document, 'paths./api/v1/things/{sid}/parts/{id}.put');
    expect(put).toMatchObject({
      operationId: 'putThingsBySidPartsById',
      description: 'Roles: admin.',
      parameters: [
        { name: 'sid', in: 'path', required: true },
        { name: 'id', in: 'path', required: true },
        { name: 'deep', in: 'query', description: 'All of it.', schema: { type: 'boolean' } },
        { name: 'Idempotency-Key', in: 'header' },
      ],
      requestBody: { content: { 'application/json': { schema: { required: ['name'] } } } },
      responses: {
        200: { content: { 'application/json': {}, 'text/csv': {} } },
        204: { description: 'Nothing.' },
        default: { $ref: '#/components/responses/Problem' },
      },
    });
    const post = at(document, 'paths./api/v1/things/import.post');
    expect(Object.keys(at(post, 'requestBody.content') as object)).toEqual([
      'application/x-ndjson',
      'text/csv',
    ]);
  });

  it('is given without a token', async () => {
    const app = new Hono();
    mountOpenapi(app, routes);
    const response = await app.request('/api/v1/openapi.json');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(openapiOf(routes));
  });
});

describe('the document of all routes', () => {
  const document = openapiDocument();
  const operations = Object.entries(document.paths as Record<string, Record<string, unknown>>).flatMap(
    ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

  it('has every call of the contract', () => {
    const calls = operations.map(({ path, method }) => `${method} ${path.replace('/api/v1', '')}`);
    expect(calls).toEqual(
      expect.arrayContaining([
        'post /messages',
        'get /messages/{id}',
        'post /messages/redrive',
        'post /mailings',
        'get /channels',
        'post /channels',
        'put /channels/{sid}',
        'delete /channels/{sid}',
        'post /channels/check',
        'post /channels/{sid}/dry-run',
        'post /channels/{sid}/test',
        'put /channels/{sid}/provider-config',
        'post /channels/{sid}/entities/{entity}/{operation}',
        'get /events',
        'get /reports/channels/{sid}',
        'get /reports/mailings/{id}',
        'post /senders',
        'post /resources',
        'post /tokens',
      ]),
    );
  });

  it('names each operation once', () => {
    const ids = operations.map(({ operation }) => own(operation, 'operationId'));
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('holds schemas that are JSON Schemas', () => {
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    const schemas = schemasIn(document.paths);
    expect(schemas.length).toBeGreaterThan(operations.length);
    for (const schema of schemas) expect(() => ajv.compile(schema)).not.toThrow();
  });
});

/** Whatever stands under `schema`. */
function schemasIn(value: unknown): object[] {
  if (Array.isArray(value)) return value.flatMap(schemasIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === 'schema' && isObject(member) ? [member] : schemasIn(member),
  );
}
