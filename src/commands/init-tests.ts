/** The golden tests of a new channel: every way through its pipelines. */

const SENDER = {
  base_url: 'https://api.example.com',
  token: 'test-token',
  webhook_token: 'test-webhook-token',
};

const MESSAGE = {
  template: { text: 'Hi {{ customer.name }}' },
  subscription: { phone: '+10000000001' },
  profile: { name: 'Ann' },
  sender: SENDER,
};

/** Tests of the pipeline `message`. */
export function messageTests(): readonly unknown[] {
  const test = (name: string, answer: object, expect: object) => ({
    name,
    pipeline: 'message',
    given: { message: MESSAGE, answers: { '2': answer } },
    expect,
  });
  return [
    test(
      'an accepted text is sent',
      { status: 202, body: { id: 'p-9' } },
      {
        status: 'done',
        path: ['1:success', '2:success', '3:success', '4:success'],
        requests: [
          {
            method: 'POST',
            url: 'https://api.example.com/messages',
            headers: { authorization: 'Bearer ***' },
            json: { to: '+10000000001', text: 'Hi Ann' },
          },
        ],
        events: [{ sid: 'accepted', type: 'send', external_id: 'p-9' }],
      },
    ),
    test(
      'a refused text is counted as rejected',
      { status: 422, body: 'no such number' },
      {
        status: 'done',
        path: ['1:success', '2:error', '5:6', '6:success'],
        events: [{ sid: 'rejected', type: 'undeliv', code: '422', message: 'no such number' }],
      },
    ),
    test(
      'a refused token fails the message and is no fault of the person',
      { status: 401, body: 'wrong token' },
      {
        status: 'failed',
        path: ['1:success', '2:error', '5:success', '7:error'],
        events: [],
        error: { code: 401 },
      },
    ),
    test(
      'bad weather is waited out',
      { status: 503 },
      { status: 'waiting', wait: { pipe: 2, reason: 'retry', tries: 1 } },
    ),
    {
      name: 'after the last try the message fails',
      pipeline: 'message',
      entry: 2,
      given: {
        message: MESSAGE,
        in: { body: '{}' },
        tries: 4,
        answers: { '2': { status: 503 } },
      },
      expect: { status: 'failed', path: ['2:error', '5:success', '7:error'], error: { code: 503 } },
    },
  ];
}

/** Tests of the pipeline `listener`. */
export function reportTests(): readonly unknown[] {
  const test = (name: string, report: object, expect: object, token = SENDER.webhook_token) => ({
    name,
    pipeline: 'listener',
    given: { message: { sender: SENDER }, request: { headers: { 'x-webhook-token': token }, json: report } },
    expect,
  });
  const ok = { status: 200, body: 'ok' };
  return [
    test(
      'a delivery is counted',
      { id: 'p-9', status: 'delivered' },
      { response: ok, events: [{ sid: 'delivered', external_id: 'p-9', dedupe_key: 'p-9/delivered' }] },
    ),
    test(
      'a failed delivery is counted with its reason',
      { id: 'p-9', status: 'undelivered', reason: 'switched off' },
      { response: ok, events: [{ sid: 'undelivered', external_id: 'p-9', message: 'switched off' }] },
    ),
    test(
      'an unknown status is logged and counts nothing',
      { id: 'p-9', status: 'queued' },
      {
        response: ok,
        events: [],
        logs: [{ level: 'warn', message: 'A report has the unknown status queued.' }],
      },
    ),
    test(
      'a report with a wrong token is refused',
      { id: 'p-9', status: 'delivered' },
      { response: { status: 401 }, events: [] },
      'wrong-token',
    ),
  ];
}
