/** One Idempotency-Key, many calls at once: one effect, on both databases and over two processes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiAnswer, type Corridor, type Node, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { messagePipeline, person, smsChannel } from '../support/sms-channel.ts';

const TOGETHER = 10;
const kinds = await databaseKinds();

/** A channel with one operation, which makes something at the provider. */
const withOperation = smsChannel('shop_sms', messagePipeline(), {
  entities: [
    {
      sid: 'list',
      name: 'List',
      fields: [{ field: 'id', type: 'string', name: 'Id' }],
      primary: 'id',
      preview: 'id',
      operations: [
        {
          sid: 'make',
          name: 'Make',
          input: [{ field: 'name', type: 'string', name: 'Name', required: true }],
          pipeline: [
            {
              id: 1,
              type: 'pack',
              params: { template: { reference: '$origin.name' } },
              outs: { success: 2, error: 9 },
            },
            {
              id: 2,
              type: 'http_request',
              params: { url: '$sender.base_url/make', method: 'POST', content_type: 'json', timeout: 30 },
              outs: { success: 3, error: 9 },
            },
            { id: 3, type: 'unpack', outs: { success: 4, error: 9 } },
            { id: 4, type: 'result', params: { path: '$in.data' }, outs: { error: 9 } },
            {
              id: 9,
              type: 'error',
              params: { code: 'not_made', message: 'It was not made: $error.message' },
            },
          ],
        },
      ],
    },
  ],
});

describe.each(kinds)('ten calls with one Idempotency-Key, on the %s database', (kind) => {
  let corridor: Corridor;
  /** Two processes where the database takes two. */
  let nodes: readonly Node[];
  let keys = 0;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    nodes = kind === 'server' ? [corridor, await corridor.another()] : [corridor];
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    await corridor.addChannel(withOperation);
    await corridor.addSender('shop_sms');
  });
  afterAll(() => corridor.end());

  const newKey = () => {
    keys += 1;
    return `key-${keys}`;
  };
  const together = (request: string, json: unknown, key = newKey()): Promise<ApiAnswer[]> =>
    Promise.all(
      Array.from({ length: TOGETHER }, (_, index) =>
        (nodes[index % nodes.length] ?? corridor).api(request, json, { 'idempotency-key': key }),
      ),
    );
  const make = (name: string, key?: string) =>
    together('POST /channels/shop_sms/entities/list/make', { input: { name } }, key);
  const count = async (table: string) =>
    (await corridor.database.query<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n ?? 0;
  const theOne = (answers: readonly ApiAnswer[]): ApiAnswer => {
    const [first] = answers;
    for (const each of answers) expect(each).toEqual(first);
    return first as ApiAnswer;
  };

  it('an operation runs once at the provider, and all get its result', async () => {
    await corridor.provider.script('slow', { delayMs: 300, body: { id: 'made' } });
    expect(theOne(await make('slow'))).toMatchObject({ status: 200, body: { result: { id: 'made' } } });
    expect(await corridor.provider.seen('slow')).toHaveLength(1);
  });

  it('an operation that fails runs once, and all get its failure; the next call runs it again', async () => {
    await corridor.provider.script('refused', { delayMs: 300, status: 500 }, { body: { id: 'later' } });
    const key = newKey();
    expect(theOne(await make('refused', key))).toMatchObject({
      status: 422,
      body: { code: 'OPERATION_ERROR' },
    });
    expect(await corridor.provider.seen('refused')).toHaveLength(1);
    expect(theOne(await make('refused', key))).toMatchObject({
      status: 200,
      body: { result: { id: 'later' } },
    });
    expect(await corridor.provider.seen('refused')).toHaveLength(2);
  });

  it('a token is made once, and the one that all get opens', async () => {
    const before = await count('token');
    const { status, body } = theOne(await together('POST /tokens', { name: 'ci', role: 'viewer' }));
    expect(status).toBe(201);
    expect(await count('token')).toBe(before + 1);
    const answer = await corridor.raw('GET /me', undefined, { authorization: `Bearer ${body.token}` });
    expect(answer.status).toBe(200);
  });

  it('an account, a message and a mailing are made once', async () => {
    const tables = ['account', 'message', 'mailing'];
    const before = await Promise.all(tables.map(count));
    const message = { channel: 'shop_sms', resource: 'shop', template: { text: 'Hello' }, ...person('one') };
    const mailing = {
      name: 'News',
      channel: 'shop_sms',
      sender: 'main',
      resource: 'shop',
      template: { text: 'Hello' },
      audience: { all: true },
    };
    for (const [request, json, status] of [
      ['POST /accounts', { name: 'Other' }, 201],
      ['POST /messages', message, 202],
      ['POST /mailings', mailing, 201],
    ] as const) {
      expect(theOne(await together(request, json)), request).toMatchObject({ status });
    }
    expect(await Promise.all(tables.map(count))).toEqual(before.map((each) => each + 1));
  });

  it('of two requests under one key one is refused while the other is under way', async () => {
    await corridor.provider.script('first', { delayMs: 300, body: { id: 'first' } });
    const key = newKey();
    const first = make('first', key);
    await until(async () => (await corridor.provider.seen('first')).length > 0);
    expect(theOne(await make('second', key))).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect(theOne(await first)).toMatchObject({ status: 200 });
    expect(await corridor.provider.seen('second')).toEqual([]);
  });

  it('the key of a call whose process died is taken over by one call', async () => {
    await corridor.provider.script('orphan', { body: { id: 'made' } });
    const key = newKey();
    // What a process leaves that was killed in the middle: a holder who never shows life.
    theOne(await make('orphan', key));
    await corridor.database.query(
      'update idempotency set status = null, answer = null, holder = new_id(now()) where key = $1',
      [key],
    );
    expect(theOne(await make('orphan', key))).toMatchObject({
      status: 200,
      body: { result: { id: 'made' } },
    });
    expect(await corridor.provider.seen('orphan')).toHaveLength(2);
  });

  it('a call that takes long is not waited for without end: 409 says when to come again', async () => {
    await corridor.provider.script('long', { delayMs: 13_000, body: { id: 'made' } });
    const key = newKey();
    const path = 'POST /channels/shop_sms/entities/list/make';
    const json = { input: { name: 'long' } };
    const first = corridor.api(path, json, { 'idempotency-key': key });
    await until(async () => (await corridor.provider.seen('long')).length > 0);
    const late = await corridor.raw(path, JSON.stringify(json), {
      authorization: `Bearer ${corridor.token}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    });
    expect(late.status).toBe(409);
    expect(late.headers.get('retry-after')).toBe('2');
    expect(await late.json()).toMatchObject({ code: 'REQUEST_IN_PROGRESS' });
    expect(await first).toMatchObject({ status: 200, body: { result: { id: 'made' } } });
    expect(theOne(await make('long', key))).toMatchObject({ status: 200, body: { result: { id: 'made' } } });
    expect(await corridor.provider.seen('long')).toHaveLength(1);
  });
});
