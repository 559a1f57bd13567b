import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditRoutes } from '../../src/http/routes/audit.ts';
import { senderRuleRoutes } from '../../src/http/routes/sender-rules.ts';
import { senderRoutes } from '../../src/http/routes/senders.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Answer, type Api, openApi } from '../support/api.ts';
import { texts, wall } from '../support/channels.ts';

const PATH = '/channels/acme_sms/sender-rules';
let api: Api;
let mainId = '';
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => [
    ...senderRuleRoutes(runtime, directory),
    ...senderRoutes(runtime, directory),
    ...auditRoutes(runtime),
  ]);
  await api.addChannel(texts);
  await api.addChannel(wall);
  for (const sid of ['main', 'second']) {
    const json = { sid, name: sid, channel: 'acme_sms', fields: { token: 's3cr3t-t0ken' } };
    const made = await api.call('POST /senders', { json });
    if (sid === 'main') mainId = textAt(made, 'id');
  }
  await api.call('POST /senders', { json: { sid: 'board', name: 'Board', channel: 'acme_wall' } });
});
afterAll(() => api.close());

const messagesOf = (answer: Answer) => {
  const problems = at(answer.body, 'problems');
  return Array.isArray(problems) ? problems.map((problem) => at(problem, 'message')).join('\n') : '';
};
const put = (rules: unknown, path = PATH) => api.call(`PUT ${path}`, { json: { rules } });
const rule = (more: object = {}) => ({ name: 'all', senders: [{ sender: 'main' }], ...more });

describe('sender rules', () => {
  it('are kept as they were written, replaced as a whole, removed, and audited', async () => {
    expect((await api.call(`GET ${PATH}`)).status).toBe(404);
    const first = [
      rule({
        name: 'germany',
        when: { 'subscription.phone': { startsWith: '+49' }, 'profile.age': { '>': 18 } },
      }),
      rule({
        senders: [
          { sender: 'main', weight: 70 },
          { sender: 'second', weight: 30 },
        ],
        fallback: ['second'],
        fallbackOn: ['weather', 503, '5xx', 'open_lane'],
      }),
    ];
    expect(await put(first)).toMatchObject({ status: 200, body: { rules: first } });
    expect((await api.call(`GET ${PATH}`)).body).toEqual({ rules: first });
    const second = [rule({ when: { class: { in: ['urgent'] }, not: { mailing: { exists: true } } } })];
    expect((await put(second)).status).toBe(200);
    expect((await api.call(`GET ${PATH}`)).body).toEqual({ rules: second });
    expect((await api.call(`DELETE ${PATH}`)).status).toBe(204);
    expect((await api.call(`DELETE ${PATH}`)).status).toBe(404);
    const audit = rowsOf(await api.call('GET /audit')).filter(
      (each) => each.action === 'channels.sender-rules',
    );
    expect(audit.map((each) => [each.before, each.after])).toEqual([
      [second, null],
      [first, second],
      [null, first],
    ]);
  });

  it('keep their routes: the same rule again has the same one', async () => {
    const routes = () =>
      api.runtime.database.query<{ routes: number[] }>('select to_json(routes) as routes from sender_rules');
    await put([rule(), rule({ name: 'never' })].slice(0, 1));
    const [before] = await routes();
    await put([rule({ name: 'new', when: { class: 'urgent' } }), rule()]);
    const [after] = await routes();
    expect(after?.routes[1]).toBe(before?.routes[0]);
    expect(after?.routes[0]).not.toBe(before?.routes[0]);
  });

  const wrong: [string, unknown, string, RegExp?][] = [
    ['no rules', [], '/rules'],
    ['no senders', [rule({ senders: [] })], '/rules/0/senders'],
    ['a member that is none', [rule({ wen: {} })], '/rules/0/wen'],
    ['a weight of none', [rule({ senders: [{ sender: 'main', weight: 0 }] })], '/rules/0/senders/0/weight'],
    [
      'a sender that is not there',
      [rule({ senders: [{ sender: 'mian' }] })],
      '/rules/0/senders/0/sender',
      /Did you mean "main"/,
    ],
    [
      'a sender of another channel',
      [rule({ fallback: ['board'], fallbackOn: ['server'] })],
      '/rules/0/fallback/0',
      /There are: "main", "second"/,
    ],
    ['a sender twice', [rule({ fallback: ['main', 'main'], fallbackOn: ['server'] })], '/rules/0/fallback/1'],
    ['two rules of one name', [rule({ when: { class: 'urgent' } }), rule()], '/rules/1/name'],
    ['a rule behind one that fits all', [rule(), rule({ name: 'b' })], '/rules/0', /last/],
    ['a fallback without classes', [rule({ fallback: ['second'] })], '/rules/0'],
    ['classes without a fallback', [rule({ fallbackOn: ['server'] })], '/rules/0'],
    [
      'a class that is none',
      [rule({ fallback: ['second'], fallbackOn: ['wether'] })],
      '/rules/0/fallbackOn/0',
      /Did you mean "weather"/,
    ],
    ['a status that is none', [rule({ fallback: ['second'], fallbackOn: [999] })], '/rules/0/fallbackOn/0'],
    ['a field of nobody', [rule({ when: { clas: 'urgent' } })], '/rules/0/when/clas', /Did you mean "class"/],
    [
      'a field of the channel that is not there',
      [rule({ when: { or: [{ 'subscription.phne': 1 }] } })],
      '/rules/0/when/or/0/subscription.phne',
      /Did you mean "subscription.phone"/,
    ],
    [
      'a secret field',
      [rule({ when: { not: { 'subscription.push_key': 'x' } } })],
      '/rules/0/when/not/subscription.push_key',
      /secret/,
    ],
    [
      'an operator that is none',
      [rule({ when: { class: { like: 'x' } } })],
      '/rules/0/when/class/like',
      /startsWith/,
    ],
    [
      'a prefix that is no text',
      [rule({ when: { 'profile.phone': { startsWith: 49 } } })],
      '/rules/0/when/profile.phone/startsWith',
    ],
    ['an empty filter', [rule({ when: {} })], '/rules/0/when'],
    ['NUL', [rule({ when: { 'profile.a': 'x\u0000' } })], '/rules/0/when/profile.a'],
  ];
  it.each(wrong)('refuse %s', async (_name, rules, pointer, message = /./) => {
    const answer = await put(rules);
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toContain(pointer);
    expect(messagesOf(answer)).toMatch(message);
  });

  it('of an indirect channel ask nothing about people', async () => {
    const path = '/channels/acme_wall/sender-rules';
    const senders = [{ sender: 'board' }];
    const answer = await put([rule({ senders, when: { 'profile.vip': true } })], path);
    expect([answer.status, pointersOf(answer)]).toEqual([422, ['/rules/0/when/profile.vip']]);
    expect((await put([rule({ senders, when: { class: 'urgent' } })], path)).status).toBe(200);
  });

  it('hold the senders they name', async () => {
    await put([rule()]);
    const held = await api.call(`DELETE /senders/${mainId}`);
    expect([held.status, at(held.body, 'code')]).toEqual([409, 'CONFLICT']);
    expect(held.text).toContain('sender rules');
    await put([rule({ senders: [{ sender: 'second' }] })]);
    expect((await api.call(`DELETE /senders/${mainId}`)).status).toBe(204);
  });

  it('are read by all and written by admins, each account for itself', async () => {
    const editor = await api.tokenOf('editor');
    expect((await api.call(`GET ${PATH}`, { token: editor })).status).toBe(200);
    for (const call of [`PUT ${PATH}`, `DELETE ${PATH}`]) {
      expect((await api.call(call, { token: editor })).status, call).toBe(403);
    }
    const stranger = await api.tokenOf('admin', await api.otherAccount('Other'));
    expect((await api.call(`GET ${PATH}`, { token: stranger })).status).toBe(404);
    const json = { rules: [rule({ senders: [{ sender: 'second' }] })] };
    const answer = await api.call(`PUT ${PATH}`, { token: stranger, json });
    expect([answer.status, pointersOf(answer)]).toEqual([422, ['/rules/0/senders/0/sender']]);
    expect((await api.call('GET /channels/nowhere/sender-rules')).status).toBe(404);
  });
});
