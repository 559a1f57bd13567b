/** The schema of golden tests (channel format, section 11). */
import type { JsonObject } from '../../json.ts';
import { amount, anything, choice, dictionary, flag, list, record, text, whole } from './words.ts';

const values = (description: string) => dictionary(description);
const texts = (description: string) => dictionary(description, { type: 'string' });

const answerForms = (): readonly JsonObject[] => [
  record('Bad weather.', { fail: choice('No answer comes.', ['network', 'timeout']) }, ['fail']),
  record('An answer.', {
    status: whole('The HTTP status. Default: 200.', { minimum: 100, maximum: 599 }),
    headers: texts('Headers.'),
    body: anything('A text is sent as it is, anything else as JSON.'),
  }),
];

const answer = (): JsonObject => ({ description: 'What the provider answers.', anyOf: answerForms() });

const messageSchema = (): JsonObject =>
  record('The message, or for a listener the sender and account that its address names.', {
    id: text('The id of the message.'),
    template: values('Template fields; Liquid in them is rendered.'),
    subscription: values('Subscription fields.'),
    profile: values('Profile fields.'),
    sender: values('Sender fields.'),
    resource: values('Resource fields.'),
    campaign: values('Mailing fields.'),
    camp_schedule: values('start_time and stop_time.'),
    account: values('Account fields.'),
    offer: values('The offer, for Liquid.'),
    attributes: values('Attributes given with the request, for Liquid.'),
    computed: values('Computed values, for Liquid.'),
  });

const requestSchema = (): JsonObject =>
  record('The request of the provider. At most one of json, text and form is its body.', {
    method: text('The method. Default: POST.'),
    path: text('The path after the address of the listener.'),
    url: text('The address that the provider called, where it signs it.'),
    headers: texts('Headers.'),
    query: dictionary('The query string.', {
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    }),
    json: anything('The body, as JSON.'),
    text: text('The body, as it is.'),
    form: texts('The body, as an urlencoded form.'),
  });

export const givenSchema = (): JsonObject =>
  record('The world in which the test runs.', {
    message: messageSchema(),
    request: requestSchema(),
    input: values('The input of an operation.'),
    in: values('$in where the event enters; $origin where it is left out.'),
    origin: values('$origin, where it is not the usual one.'),
    tries: whole('How often the entry pipe was tried before.', { minimum: 0 }),
    store: values('The store: values by key, or by table/key.'),
    now: text('The time, ISO 8601.'),
    answers: dictionary('Answers by pipe id; a list is served in order.', {
      anyOf: [...answerForms(), { type: 'array', items: answer() }],
    }),
    rows: dictionary('Rows of a query by pipe id, or a list of them for several queries.', {
      type: 'array',
      items: {
        anyOf: [{ type: 'object' }, { type: 'array', items: { type: 'object' } }],
      },
    }),
  });

const expectation = (): JsonObject =>
  record('What must have happened, compared as a subset; a section that is left out is not looked at.', {
    exactly: flag('Everything must be the same, and nothing else may have happened.', { default: false }),
    status: text('How the run ended: done, failed, waiting …'),
    path: list('The way, as "<pipe id>:<exit>".', { type: 'string' }),
    requests: list('The requests that were sent.', {}),
    events: list('The events that were registered.', {}),
    later: list('What was handed to the Schedule pipeline.', {}),
    logs: list('The log lines.', {}),
    result: anything('The result of an operation.'),
    error: anything('The error with which the run ended.'),
    store: values('The store at the end.'),
    response: anything('The answer of a listener.'),
    dedupe: text('The name by which a listener knows a repeat of the request.'),
    wait: anything('Where and for how many seconds the event waits.'),
    branches: list('Elements of a split that wait by themselves.', {}),
  });

/** A file of tests. */
export const testSchema = (): JsonObject =>
  record(
    'Tests of a channel, run offline by the production engine.',
    {
      $schema: text('Where editors find the schema of this file.'),
      tests: list(
        'The tests.',
        record(
          'A test.',
          {
            name: text('What it shows, as a sentence.', { minLength: 1 }),
            pipeline: text('message, schedule, listener, moderate, stop, or <entity>/<operation>.', {
              minLength: 1,
            }),
            entry: amount('The pipe where the event enters. Default: the first one.', { minimum: 1 }),
            given: givenSchema(),
            expect: expectation(),
          },
          ['name', 'pipeline', 'expect'],
        ),
        { minItems: 1 },
      ),
    },
    ['tests'],
  );
