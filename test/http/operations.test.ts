import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLaneRests } from '../../src/flows/lanes/lane-rests.ts';
import { createLanes } from '../../src/flows/lanes/lanes.ts';
import { createLimiter } from '../../src/flows/lanes/limiter.ts';
import { createOpenOutside } from '../../src/flows/run/open-outside.ts';
import type { OpenOutside } from '../../src/flows/run/run-context.ts';
import { createRunOperation } from '../../src/flows/run/run-operation.ts';
import { channelRoutes } from '../../src/http/routes/channels.ts';
import { operationRoutes } from '../../src/http/routes/operations.ts';
import { senderRoutes } from '../../src/http/routes/senders.ts';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { authorize } from '../../src/outside/authorize.ts';
import { createHttpClient } from '../../src/outside/http-client.ts';
import { createModules } from '../../src/outside/modules.ts';
import { acme } from '../support/acme.ts';
import { at, pointersOf } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';
import { failureOf } from '../support/failure-of.ts';

const TOKEN = 'a-secret-token';
const asked: { url: string; authorization: string }[] = [];
/** What the provider answers next. */
let status = 200;
let answer = '{"items":[{"id":1,"title":"News"}]}';
const provider = createServer((request, response) => {
  asked.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '' });
  response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
});
const guard = createAddressGuard(['127.0.0.0/8']);
const http = createHttpClient({ guard, defaultConnections: 4 });

let api: Api;
let open: OpenOutside;
beforeAll(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const { port } = provider.address() as AddressInfo;
  api = await openApi(({ runtime, directory }) => {
    const limiter = createLimiter(runtime, { leaseMs: 10_000 });
    const rests = createLaneRests(runtime, () => {});
    const { byName } = createModules({
      guard,
      http,
      now: runtime.clock.now,
      receipt: async () => {},
      log: () => {},
    });
    const query = async () => [];
    open = createOpenOutside(runtime, limiter, rests, { send: http.send, authorize, query, modules: byName });
    return [
      ...channelRoutes(runtime, directory, () => {}),
      ...senderRoutes(runtime, directory),
      ...operationRoutes(runtime, directory, createLanes(runtime), open),
    ];
  });
  const text = JSON.stringify(acme).replaceAll('https://acme.test', `http://127.0.0.1:${port}`);
  const headers = { 'content-type': 'application/json' };
  const made = await api.call('POST /channels', { body: text, headers });
  expect(made.text).toContain('"acme_lists"');
  await api.call('POST /senders', {
    json: { sid: 'main', name: 'Main', channel: 'acme_lists', fields: { token: TOKEN } },
  });
});
afterAll(async () => {
  await http.close();
  await new Promise((resolve) => provider.close(resolve));
  await api.close();
});

const run = (json: object, path = 'category/list') =>
  api.call(`POST /channels/acme_lists/entities/${path}`, { json });

describe('an operation', () => {
  it('runs with its input and the credentials of the only sender', async () => {
    const result = await run({ input: { prefix: 'Ne' } });
    expect(result).toMatchObject({ status: 200, body: { result: [{ id: 1, title: 'News' }] } });
    expect(asked.at(-1)).toEqual({ url: '/categories?prefix=Ne', authorization: `Bearer ${TOKEN}` });
  });

  it('checks its input before anything is asked', async () => {
    const before = asked.length;
    const long = await run({ input: { prefix: 'far too long a prefix', pre: 1 } });
    expect(long).toMatchObject({ status: 422, body: { code: 'VALUES_INVALID' } });
    expect(pointersOf(long)).toEqual(['/input/prefix', '/input/pre']);
    expect(pointersOf(await run({}))).toEqual(['/input/prefix']);
    expect(asked.length).toBe(before);
  });

  it('ends with the code that its error pipe gives, and without a secret', async () => {
    status = 403;
    answer = `{"error":"bad token ${TOKEN}"}`;
    const refused = await run({ input: { prefix: 'Ne' } });
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'OPERATION_ERROR', error: { code: 'no_list' } },
    });
    expect(at(refused.body, 'detail')).toMatch(/^The list cannot be read/);
    expect(refused.text).not.toContain(TOKEN);
    status = 200;
    answer = `{"items":[{"id":1,"title":"for ${TOKEN}"}]}`;
    const echoed = await run({ input: { prefix: 'Ne' } });
    expect(echoed.body).toEqual({ result: [{ id: 1, title: 'for ***' }] });
  });

  it('names what there is where it is not found', async () => {
    expect(await run({}, 'category/create')).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('it has: category/list') },
    });
    expect(pointersOf(await run({ sender: 'second', input: { prefix: 'N' } }))).toEqual(['/sender']);
    const viewer = await api.tokenOf('viewer');
    const answer = await api.call('POST /channels/acme_lists/entities/category/list', {
      token: viewer,
      json: {},
    });
    expect(answer.status).toBe(403);
  });

  it('says so where its pipeline ends without a result', async () => {
    const known = await api.directory.channel('acme_lists');
    const plan = known?.channel.operations.get('category/list');
    if (known === undefined || plan?.entry === undefined) throw new Error('no plan');
    // As rules of an older version may have let it pass: the way ends before the result.
    const entry = { ...plan.entry, success: undefined };
    const cut = { ...known.channel, operations: new Map([['category/list', { ...plan, entry }]]) };
    const runOperation = createRunOperation(api.runtime, api.directory, createLanes(api.runtime), open);
    const request = { entity: 'category', operation: 'list', input: { prefix: 'N' } };
    const failure = await failureOf(() => runOperation(api.accountId, cut, request));
    expect(failure.code).toBe('OPERATION_UNFINISHED');
  });

  it('is given up when its time is over', async () => {
    const known = await api.directory.channel('acme_lists');
    if (known === undefined) throw new Error('no channel');
    const never: OpenOutside = (place) => ({ ...open(place), http: () => new Promise(() => {}) });
    const runOperation = createRunOperation(api.runtime, api.directory, createLanes(api.runtime), never, 5);
    const request = { entity: 'category', operation: 'list', input: { prefix: 'N' } };
    const failure = await failureOf(() => runOperation(api.accountId, known.channel, request));
    expect(failure.code).toBe('RUN_TIMEOUT');
  });
});
