import { describe, expect, it } from 'vitest';
import { checkChannel } from '../../src/channel/check.ts';
import type { ChannelDocument } from '../../src/channel/document.ts';
import { runGoldenTests, type TestReport } from '../../src/testing/golden.ts';
import { updatedFile } from '../../src/testing/golden-file.ts';
import type { GoldenTest } from '../../src/testing/golden-test.ts';

const TOKEN = 'secret-token-4711';

function channelOf(message: readonly object[], more: object = {}): ChannelDocument {
  const text = JSON.stringify({
    sid: 'demo_sms',
    id: 10_900,
    name: 'Demo',
    type: 'sms',
    communication: 'direct',
    events: [{ sid: 'sent', id: 100_001, name: 'Sent', color: '#607d8b', type: 'send' }],
    fields: {
      sender: [
        { field: 'token', type: 'string', name: 'Token', required: true, secret: true },
        { field: 'host', type: 'url', name: 'Host', default: 'https://sms.example.com' },
      ],
      subscription: [{ field: 'phone', type: 'string', name: 'Phone', required: true }],
      template: [{ field: 'text', type: 'text', name: 'Text', required: true, max_length: 20 }],
    },
    pipelines: { message },
    ...more,
  });
  const checked = checkChannel({ file: 'demo.json', text, kind: 'custom', pipelines: () => undefined });
  expect(checked.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return checked.document as ChannelDocument;
}

const PACK = {
  id: 1,
  type: 'pack',
  params: { template: { to: '$subscription.phone', text: '$template.text' } },
  outs: { success: 2 },
};

function requestWith(auth: object, outs: object) {
  const params = {
    method: 'POST',
    url: '$sender.host/send',
    content_type: 'json',
    retry: { attempts: 3, on: ['network', 503], base: 4, max: 60 },
    ...auth,
  };
  return { id: 2, type: 'http_request', params, outs };
}

const SEND = [
  PACK,
  requestWith({ auth_type: 'bearer', auth_token: '$sender.token' }, { success: 3, error: 4 }),
  { id: 3, type: 'event', params: { sid: 'sent', event: { external_id: '${in.status}' } } },
  { id: 4, type: 'log', params: { level: 'error', message: 'Failed with $error.code for $sender.token' } },
];

const message = {
  template: { text: 'Hi {{ customer.name }}' },
  subscription: { phone: '+100' },
  profile: { name: 'Ann' },
  sender: { token: TOKEN },
};

async function runOne(
  test: Omit<GoldenTest, 'name' | 'pipeline'>,
  channel = channelOf(SEND),
): Promise<TestReport> {
  const { tests } = await runGoldenTests(channel, [{ name: 'a test', pipeline: 'message', ...test }]);
  return tests[0] as TestReport;
}

describe('a golden test', () => {
  it('passes where the expected part of what happened is the same', async () => {
    const report = await runOne({
      given: { message, answers: { 2: { status: 202 } } },
      expect: {
        status: 'done',
        path: ['1:success', '2:success', '3:success'],
        requests: [{ url: 'https://sms.example.com/send', json: { to: '+100', text: 'Hi Ann' } }],
        events: [{ sid: 'sent', type: 'send', external_id: '202' }],
      },
    });
    expect(report.problems).toEqual([]);
    expect(report.passed).toBe(true);
  });

  it('says what was expected and what happened, with a pointer', async () => {
    const report = await runOne({
      given: { message, answers: { 2: {} } },
      expect: { requests: [{ json: { text: 'Hi Bob' } }] },
    });
    expect(report.problems).toEqual([
      'at /expect/requests/0/json/text\n  expected: "Hi Bob"\n  happened: "Hi Ann"',
    ]);
  });

  it('fails where a request has no answer, whatever is expected', async () => {
    const report = await runOne({ given: { message }, expect: {} });
    expect(report.problems).toEqual([
      'Pipe 2 sent POST https://sms.example.com/send and got no answer; give one in given.answers."2".',
    ]);
  });

  it('fails where an answer is left over', async () => {
    const report = await runOne({ given: { message, answers: { 2: [{}, {}], 9: {} } }, expect: {} });
    expect(report.problems).toEqual([
      'given.answers."2" has 1 that nobody asked for; remove it.',
      'given.answers."9" has 1 that nobody asked for; remove it.',
    ]);
  });

  it('fails where an exact test leaves something unsaid', async () => {
    const report = await runOne({
      given: { message, answers: { 2: {} } },
      expect: { exactly: true, status: 'done' },
    });
    expect(report.problems.map((problem) => problem.split('\n')[0])).toEqual([
      'at /expect/path',
      'at /expect/requests',
      'at /expect/events',
    ]);
  });

  it('takes an empty section for "nothing happened there"', async () => {
    const passing = await runOne({ given: { message, answers: { 2: {} } }, expect: { logs: [], later: [] } });
    expect(passing.passed).toBe(true);
    const failing = await runOne({ given: { message, answers: { 2: {} } }, expect: { events: [] } });
    expect(failing.passed).toBe(false);
  });

  it('names the pipelines there are where it asks for another', async () => {
    const { tests } = await runGoldenTests(channelOf(SEND), [
      { name: 'a test', pipeline: 'mesage', expect: {} },
    ]);
    expect(tests[0]?.problems).toEqual(['Channel "demo_sms" has no pipeline "mesage"; it has: message.']);
  });

  it('refuses values that no field has', async () => {
    const report = await runOne({ given: { message: { ...message, sender: { tokn: 'x' } } }, expect: {} });
    expect(report.problems[1]).toContain('at /given/message/sender/tokn: ');
  });

  it('fails a message whose rendered content does not fit, before any pipe', async () => {
    const profile = { name: 'Ann with a very long name' };
    const report = await runOne({
      given: { message: { ...message, profile } },
      expect: { exactly: true, status: 'failed' },
    });
    expect(report.happened).toMatchObject({
      status: 'failed',
      error: { code: 'VALUES_INVALID', pointer: '/text' },
    });
    expect(report.happened).not.toHaveProperty('path');
  });
});

describe('the production retry rules', () => {
  it('let a failed request wait, half of the random part long', async () => {
    const report = await runOne({
      given: { message, answers: { 2: { fail: 'network' } } },
      expect: { status: 'waiting', wait: { pipe: 2, delay: 2, reason: 'retry', tries: 1 } },
    });
    expect(report.problems).toEqual([]);
  });

  it('wait as long as the provider says', async () => {
    const report = await runOne({
      given: { message, answers: { 2: { status: 503, headers: { 'Retry-After': '90' } } } },
      expect: { status: 'waiting', wait: { delay: 90 } },
    });
    expect(report.problems).toEqual([]);
  });

  it('call a request unknown that may have arrived', async () => {
    const report = await runOne({
      given: { message, answers: { 2: { fail: 'timeout' } } },
      expect: { status: 'unknown', events: [] },
    });
    expect(report.problems).toEqual([]);
  });

  it('take the error exit when the tries are spent', async () => {
    const report = await runOne({
      entry: 2,
      given: { message, in: { body: '{}' }, tries: 2, answers: { 2: { status: 503 } } },
      expect: {
        status: 'failed',
        path: ['2:error', '4:success'],
        requests: [{ json: {} }],
        error: { code: 503, pipe: 2 },
      },
    });
    expect(report.problems).toEqual([]);
  });
});

describe('secrets', () => {
  it('stand in no report, and expectations match in their masked form', async () => {
    const report = await runOne({
      given: { message, answers: { 2: { status: 400 } } },
      expect: {
        requests: [{ headers: { authorization: 'Bearer ***' } }],
        logs: [{ message: `Failed with 400 for ${TOKEN}` }],
        events: [{ sid: 'sent' }],
      },
    });
    expect(report.problems).toEqual([
      'at /expect/events\n  expected: [{"sid":"sent"}]\n  happened: (nothing)',
    ]);
    expect(JSON.stringify(report)).not.toContain(TOKEN);
  });

  it('are masked in basic credentials too', async () => {
    const basic = { auth_type: 'basic', auth_username: 'acme', auth_password: '$sender.token' };
    const channel = channelOf([PACK, requestWith(basic, {})]);
    const report = await runOne(
      { given: { message, answers: { 2: {} } }, expect: { exactly: true } },
      channel,
    );
    expect(report.happened).toMatchObject({ requests: [{ headers: { authorization: 'Basic ***' } }] });
    expect(JSON.stringify(report)).not.toContain(Buffer.from(`acme:${TOKEN}`).toString('base64'));
  });
});

describe('the outside of a test', () => {
  it('gives a token endpoint its answer from the same pipe, in order', async () => {
    const oauth = {
      auth_type: 'oauth2',
      auth_token_url: 'https://id.example.com/token',
      auth_client_id: 'acme',
      auth_client_secret: '$sender.token',
      auth_client_auth: 'body',
    };
    const channel = channelOf([PACK, requestWith(oauth, {})]);
    const answers = { 2: [{ body: { access_token: 'a-1', token_type: 'Bearer', expires_in: 60 } }, {}] };
    const report = await runOne(
      {
        given: { message, answers },
        expect: {
          requests: [
            { url: 'https://id.example.com/token', form: { client_id: 'acme', client_secret: '***' } },
            { url: 'https://sms.example.com/send', headers: { authorization: 'Bearer a-1' } },
          ],
        },
      },
      channel,
    );
    expect(report.problems).toEqual([]);
  });

  it('serves rows to queries and shows the store at the end', async () => {
    const channel = channelOf([
      {
        id: 1,
        type: 'sql_pipe',
        params: { connector_id: 'crm', query: 'select n from t where name = $profile.name' },
        outs: { success: 2 },
      },
      {
        id: 2,
        type: 'store_set',
        params: { key: 'row', table: 'rows', value: '$#in.sql_query', ttl: 60 },
        outs: { success: 3 },
      },
      { id: 3, type: 'store_get', params: { key: 'old', delete: true } },
    ]);
    const report = await runOne(
      {
        given: { message, rows: { 1: [{ n: 1 }] }, store: { old: 7, other: 8 } },
        expect: {
          exactly: true,
          status: 'done',
          path: ['1:success', '2:success', '3:success'],
          store: { other: 8, 'rows/row': [{ n: 1 }] },
        },
      },
      channel,
    );
    expect(report.problems).toEqual([]);
  });
});

describe('exits', () => {
  it('lists those that no test took', async () => {
    const channel = channelOf(SEND);
    const none = await runGoldenTests(channel, []);
    expect(none.outs).toEqual(['message 1:success', 'message 2:success', 'message 2:error']);
    const sent = { name: 'sent', pipeline: 'message', given: { message, answers: { 2: {} } }, expect: {} };
    expect((await runGoldenTests(channel, [sent])).outs).toEqual(['message 2:error']);
  });

  it('counts the way of the elements of a split', async () => {
    const channel = channelOf([
      { id: 1, type: 'split', params: { items: '$profile.tags', as: 'tag', each: 2 }, outs: { success: 3 } },
      { id: 2, type: 'log', params: { message: '$in.tag' } },
      { id: 3, type: 'log', params: { message: 'end' } },
    ]);
    const withTags = (tags: string[]): GoldenTest => ({
      name: 'tags',
      pipeline: 'message',
      given: { message: { ...message, profile: { tags } } },
      expect: {},
    });
    expect((await runGoldenTests(channel, [withTags([])])).outs).toEqual(['message 1:2']);
    expect((await runGoldenTests(channel, [withTags(['a'])])).outs).toEqual([]);
  });
});

describe('updating', () => {
  const test: GoldenTest = {
    name: 'a test',
    pipeline: 'message',
    given: { message, answers: { 2: { status: 400 } } },
    expect: { requests: [{ url: 'old', headers: { authorization: 'old' } }], events: [] },
  };

  it('keeps what the author looks at and masks secrets', async () => {
    const { tests } = await runGoldenTests(channelOf(SEND), [test]);
    const updated = updatedFile({ tests: [test] }, tests);
    expect(updated.tests[0]?.expect).toEqual({
      requests: [{ url: 'https://sms.example.com/send', headers: { authorization: 'Bearer ***' } }],
      events: [],
    });
    const again = await runGoldenTests(channelOf(SEND), updated.tests);
    expect(again.tests[0]?.passed).toBe(true);
    expect(updatedFile(updated, again.tests)).toEqual(updated);
  });

  it('writes everything where nothing was expected yet', async () => {
    const empty = { ...test, expect: {} };
    const { tests } = await runGoldenTests(channelOf(SEND), [empty]);
    const updated = updatedFile({ tests: [empty] }, tests);
    expect(Object.keys(updated.tests[0]?.expect ?? {})).toEqual([
      'status',
      'path',
      'requests',
      'logs',
      'error',
    ]);
  });
});
