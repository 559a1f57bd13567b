import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Listener } from '../../../src/channel/document.ts';
import { compileListener } from '../../../src/flows/listener/compile-listener.ts';
import { NOW_MS, request, type Sent } from './support.ts';

const scope = { sender: { secret: 's', verify_token: 'vt' }, account: { id: 7 } };
const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
const EMPTY = { status: 200, headers: {}, body: '' };

const answer = (response: Listener['response'], sent: Sent = {}) =>
  compileListener(response === undefined ? {} : { response }).answer(request(sent), scope);

describe('response', () => {
  it('is 200 and empty by default', async () => {
    expect(await compileListener(undefined).answer(request({}), {})).toEqual({ answer: EMPTY });
    expect(await answer({ status: 204 })).toEqual({ answer: { ...EMPTY, status: 204 } });
  });

  it('is a bare string, or status, headers and body', async () => {
    expect(await answer('ok $account.id')).toEqual({ answer: { status: 200, headers: TEXT, body: 'ok 7' } });
    const declared = {
      status: 202,
      content_type: 'text/xml',
      headers: { 'X-Got': '$in.form.id' },
      body: '<r>$in.method</r>',
    };
    expect(await answer(declared, { query: 'id=9', method: 'put' })).toEqual({
      answer: {
        status: 202,
        headers: { 'x-got': '9', 'content-type': 'text/xml', 'x-content-type-options': 'nosniff' },
        body: '<r>PUT</r>',
      },
    });
  });

  it('builds JSON structurally, so that no value can break it', async () => {
    const { answer: given } = await answer(
      { body: { ok: true, echo: '$in.data.v', n: '$#in.data.n' } },
      { body: '{"v":"\\",\\"x\\":1","n":[1]}' },
    );
    expect(given.headers['content-type']).toBe('application/json');
    expect(JSON.parse(String(given.body))).toEqual({ ok: true, echo: '","x":1', n: [1] });
  });

  it('sees form, headers, method and raw body in $origin, and urlencoded fields in $in.data', async () => {
    const sent = {
      query: 'a=1&a=2',
      body: 'x=1&y=%C3%BC',
      headers: { 'X-H': 'h', 'Content-Type': 'application/x-www-form-urlencoded' },
    };
    const text = "$origin.form.a.%1 ${origin.headers.'x-h'} $origin.method $origin.body $in.data.y";
    expect((await answer(text, sent)).answer.body).toBe('2 h POST x=1&y=%C3%BC ü');
    expect((await answer('$origin.data', sent)).problem).toMatchObject({ code: 'TEMPLATE_VALUE_MISSING' });
  });

  it('gives the default answer and the reason where it cannot be rendered', async () => {
    for (const response of ['$in.data.x', { status: 201, body: 'x', headers: { a: '$in.form.a' } }]) {
      const rendered = await answer(response, { body: 'not json' });
      expect(rendered.answer).toEqual(EMPTY);
      expect(rendered.problem).toMatchObject({ code: 'TEMPLATE_VALUE_MISSING' });
    }
  });

  it('never lets a value start another header', async () => {
    const rendered = await answer(
      { headers: { location: '$in.form.to' } },
      { query: 'to=a%0d%0aset-cookie:%20x' },
    );
    expect(rendered.answer).toEqual(EMPTY);
    expect(rendered.problem).toMatchObject({ code: 'REQUEST_INVALID' });
    expect(
      (await answer({ headers: { location: '$in.form.to' } }, { query: 'to=%E2%82%AC' })).problem,
    ).toBeDefined();
  });

  it('takes JSONata as a body', async () => {
    const body = { $: '{"n": $count($in.data.items)}' };
    expect((await answer({ body }, { body: '{"items":[1,2]}' })).answer.body).toBe('{"n":2}');
  });
});

describe('result', () => {
  const listener = compileListener({
    answer: 'result',
    response: { status: 201, headers: { 'x-id': '$in.form.id' }, body: 'fallback' },
  });
  const sent = request({ query: 'id=4' });

  it.each([
    [{ a: 1 }, '{"a":1}', 'application/json'],
    [[1, null], '[1,null]', 'application/json'],
    [null, 'null', 'application/json'],
    [5, '5', 'application/json'],
    ['pong', 'pong', TEXT['content-type']],
    [Buffer.from('b'), Buffer.from('b'), 'application/octet-stream'],
  ])('%j is the body', async (value, body, type) => {
    const { answer: given } = await listener.resultAnswer(value, sent, scope);
    expect(given).toEqual({ status: 201, headers: { ...TEXT, 'x-id': '4', 'content-type': type }, body });
  });

  it('is the ordinary answer without a value', async () => {
    expect((await listener.resultAnswer(undefined, sent, scope)).answer.body).toBe('fallback');
    expect(listener.answersResult).toBe(true);
    expect(compileListener({}).answersResult).toBe(false);
  });
});

describe('responses', () => {
  const early = (responses: Listener['responses'], sent: Sent, rest: Listener = {}) =>
    compileListener({ ...rest, responses: responses ?? [] }).early(request(sent), scope, NOW_MS);

  it('answers a Slack challenge', async () => {
    const responses = [{ when: '$body.type = "url_verification"', body: '$in.data.challenge' }];
    const sent = { body: '{"type":"url_verification","challenge":"3eZb"}' };
    expect(
      await early(responses, sent, { verify: { preset: 'slack', secrets: ['$sender.secret'] } }),
    ).toEqual({
      answer: { status: 200, headers: TEXT, body: '3eZb' },
    });
    expect(await early(responses, { body: '{"type":"event_callback"}' })).toEqual({ answer: undefined });
  });

  it('answers a Meta challenge only with the right token', async () => {
    const responses = [
      {
        when: '$method = "GET" and $form."hub.verify_token" = $sender.verify_token',
        body: "${in.form.'hub.challenge'}",
      },
      { when: '$method = "GET"', status: 403 },
    ];
    const get = (token: string) => ({
      method: 'GET',
      query: `hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=11`,
    });
    expect((await early(responses, get('vt'))).answer).toMatchObject({ status: 200, body: '11' });
    expect((await early(responses, get('no'))).answer).toMatchObject({ status: 403, body: '' });
    expect((await early(responses, { method: 'POST' })).answer).toBeUndefined();
  });

  it('has the text of a body that is not JSON, the path, the headers and the account', async () => {
    const when = '$body = "ping" and $path = "" and $headers."x-a" = "1" and $account.id = 7';
    const outcome = await early([{ when, body: 'pong' }], { body: 'ping', headers: { 'X-A': '1' } });
    expect(outcome.answer).toMatchObject({ body: 'pong' });
  });

  it('waits for the signature where the entry says "verified"', async () => {
    const rest: Listener = { verify: { type: 'hmac', header: 'sig', secrets: ['$sender.secret'] } };
    const responses = [{ when: '$body.type = 1', verified: true, body: { type: 1 } }];
    const body = '{"type":1}';
    const sig = createHmac('sha256', 's').update(body).digest('hex');
    expect((await early(responses, { body, headers: { sig } }, rest)).answer).toMatchObject({
      body: '{"type":1}',
    });
    expect(
      (await early(responses, { body, headers: { sig: `00${sig.slice(2)}` } }, rest)).answer,
    ).toBeUndefined();
  });

  it('does not hold where its condition fails or is not true, and says why', async () => {
    const responses = [{ when: '$number($body.n) > 1' }, { when: '$body.n' }, { when: 'true', body: 'last' }];
    const outcome = await early(responses, { body: '{"n":"x"}' });
    expect(outcome.answer).toMatchObject({ body: 'last' });
    expect(outcome.problem).toMatchObject({ code: 'JSONATA_FAILED' });
  });
});

describe('dedupe', () => {
  const key = (dedupe: string, sent: Sent) => compileListener({ dedupe }).dedupeKey(request(sent), scope);

  it('names the request', () => {
    expect(key('$account.id-$in.data.id', { body: '{"id":"a1"}' })).toBe('7-a1');
    expect(key("${origin.headers.'webhook-id'}", { headers: { 'Webhook-Id': 'msg_1' } })).toBe('msg_1');
    expect(compileListener({}).dedupeKey(request({}), scope)).toBeUndefined();
  });

  it('names nothing where the value is missing or empty', () => {
    expect(key('$in.data.id', { body: '{}' })).toBeUndefined();
    expect(key('$in.data.id', { body: '<xml/>' })).toBeUndefined();
    expect(key('$in.data.id', { body: '{"id":""}' })).toBeUndefined();
  });

  it('hashes what is long or cannot be stored, and keeps names apart', () => {
    const of = (id: string) => key('$in.data.id', { body: JSON.stringify({ id }) });
    expect(of('x'.repeat(200))).toBe('x'.repeat(200));
    const hashed = ['x'.repeat(201), 'y'.repeat(201), 'a\0', '\ud800', '\ud801'].map(of);
    for (const name of hashed) expect(name).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(new Set(hashed).size).toBe(hashed.length);
  });
});
