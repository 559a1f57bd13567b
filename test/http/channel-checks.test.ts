import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { channelCheckRoutes } from '../../src/http/routes/channel-checks.ts';
import { channelRoutes } from '../../src/http/routes/channels.ts';
import { acme } from '../support/acme.ts';
import { at, pointersOf } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => [
    ...channelRoutes(runtime, directory, () => {}),
    ...channelCheckRoutes(runtime, directory),
  ]);
  await api.call('POST /channels', { json: acme });
});
afterAll(() => api.close());

const unsaved = { ...acme, sid: 'unsaved' };
const message = {
  template: { text: 'Hi {{ customer.name }}' },
  subscription: { chat: 'c-1' },
  profile: { name: 'Ann' },
  sender: { token: 'top-secret-token' },
};

describe('checking a document', () => {
  it('says everything about it and keeps nothing', async () => {
    const sound = await api.call('POST /channels/check', { json: unsaved });
    expect(sound.body).toMatchObject({ valid: true });
    const broken = await api.call('POST /channels/check', {
      json: { ...unsaved, communication: 'sideways', colour: 1 },
    });
    expect(broken.status).toBe(200);
    expect(broken.body).toMatchObject({
      valid: false,
      findings: expect.arrayContaining([
        expect.objectContaining({ severity: 'error', pointer: '/communication', line: 1 }),
        expect.objectContaining({ code: 'unknown-member', pointer: '/colour' }),
      ]),
    });
    expect((await api.call('GET /channels/unsaved')).status).toBe(404);
  });

  it('sees a document of a channel that is there as a change of it', async () => {
    const answer = await api.call('POST /channels/check', { json: { ...acme, name: 'Other' } });
    expect(answer.body).toMatchObject({ valid: true });
  });
});

describe('a dry run', () => {
  it('shows pipe by pipe what would leave, without a secret', async () => {
    const answer = await api.call('POST /channels/acme_lists/dry-run', {
      json: { message, answers: { 2: { status: 202, body: { ok: true } } } },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      status: 'done',
      path: ['1:success', '2:success', '3:success'],
      requests: [{ method: 'POST', url: 'https://acme.test/send', json: { to: 'c-1', text: 'Hi Ann' } }],
      events: [{ sid: 'accepted' }],
      trace: [{ pipe: 1, exit: 'success' }, { pipe: 2, response: { status: 202 } }, { pipe: 3 }],
      notes: [],
    });
    expect(answer.text).not.toContain('top-secret-token');
  });

  it('makes answers up and says so', async () => {
    const answer = await api.call('POST /channels/dry-run', { json: { channel: unsaved, message } });
    expect(answer.body).toMatchObject({
      status: 'done',
      notes: [expect.stringContaining('pipe 2 is made up')],
    });
    expect((await api.call('GET /channels/unsaved')).status).toBe(404);
  });

  it('plays bad weather', async () => {
    const answer = await api.call('POST /channels/acme_lists/dry-run', {
      json: { message, answers: { 2: { status: 400, body: { error: 'no such chat' } } } },
    });
    expect(answer.body).toMatchObject({
      status: 'failed',
      error: { code: 400 },
      trace: [{ pipe: 1 }, { pipe: 2, exit: 'error', error: { code: 'HTTP_STATUS' } }],
    });
  });

  it('tries a change of a saved channel', async () => {
    const [first, ...rest] = acme.pipelines.message;
    const pack = { ...first, params: { template: { body: '$template.text' } } };
    const channel = { ...acme, pipelines: { message: [pack, ...rest] } };
    const answer = await api.call('POST /channels/acme_lists/dry-run', { json: { channel, message } });
    expect(answer.body).toMatchObject({ requests: [{ json: { body: 'Hi Ann' } }] });
    expect(at((await api.call('GET /channels/acme_lists')).body, 'version')).toBe(1);
  });

  it('does not run what is wrong', async () => {
    const channel = { ...unsaved, communication: 'sideways' };
    const answer = await api.call('POST /channels/dry-run', { json: { channel, message } });
    expect(answer.body).toMatchObject({ status: 422, code: 'DOCUMENT_INVALID' });
    expect(pointersOf(answer)).toContain('/channel/communication');
    const lost = await api.call('POST /channels/acme_lists/dry-run', {
      json: { message, pipeline: 'schedule' },
    });
    expect(lost.body).toMatchObject({
      status: 422,
      detail: expect.stringContaining('it has: message, category/list'),
    });
    const strange = await api.call('POST /channels/acme_lists/dry-run', { json: { message, massage: {} } });
    expect(pointersOf(strange)).toEqual(['/massage']);
  });
});

describe('golden tests', () => {
  const tests = [
    {
      name: 'a text is sent',
      pipeline: 'message',
      given: { message, answers: { 2: { status: 202 } } },
      expect: { status: 'done', requests: [{ json: { text: 'Hi Ann' } }] },
    },
  ];

  it('run by themselves, and name the exits that nobody walked', async () => {
    const answer = await api.call('POST /channels/acme_lists/test', { json: { tests } });
    expect(answer.body).toMatchObject({
      passed: true,
      tests: [{ name: 'a text is sent', passed: true, problems: [] }],
    });
    expect(at(answer.body, 'outs')).toContain('category/list 1:error');
  });

  it('say what else happened', async () => {
    const wrong = [{ ...tests[0], expect: { requests: [{ json: { text: 'Bye' } }] } }];
    const answer = await api.call('POST /channels/test', { json: { channel: unsaved, tests: wrong } });
    expect(answer.body).toMatchObject({ passed: false });
    expect(at(answer.body, 'tests.0.problems.0')).toContain('Hi Ann');
  });

  it('must be tests', async () => {
    const answer = await api.call('POST /channels/acme_lists/test', { json: { tests: [{ name: 'x' }] } });
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)[0]).toMatch(/^\/tests\/0/);
  });
});
