/** Wrong pipelines, pipes and events. */
import { direct, indirect } from '../documents.ts';
import { changed, type Example, hello, pipe, sending, wall, withPipeline } from './build.ts';

/** Examples of these findings. */
export const PIPES: readonly Example[] = [
  {
    code: 'module-or-pipelines',
    name: 'a custom channel with a module',
    document: changed(direct(), { module: 'email' }),
    says: 'Only built-in channels',
    pointer: '/module',
  },
  {
    code: 'pipeline-missing',
    name: 'no Message pipeline',
    document: changed(direct(), { pipelines: {}, listener: undefined }),
    says: 'The channel has no Message pipeline',
  },
  {
    code: 'pipeline-file-missing',
    name: 'a pipeline file that is not there',
    document: wall({ pipelines: { ...indirect().pipelines, message: 'acme_wall/mesage' } }),
    says: 'There is no pipeline file for "acme_wall/mesage"',
    pointer: '/pipelines/message',
  },
  {
    code: 'pipeline-size',
    name: 'a pipeline without pipes',
    document: sending(),
    says: 'A pipeline has 1 to 1000 pipes, but this one has 0',
  },
  {
    code: 'pipeline-unused',
    name: 'a Schedule pipeline that nothing enters',
    document: changed(direct(), { pipelines: { message: [hello], schedule: [hello] }, listener: undefined }),
    says: 'No "scheduled" pipe',
    pointer: '/pipelines/schedule',
  },
  {
    code: 'pipe-type-unknown',
    name: 'an unknown pipe',
    document: sending(pipe(1, 'http_requst', { url: 'https://a.example' })),
    says: 'There is no pipe of type "http_requst". Did you mean "http_request"?',
    pointer: '/pipelines/message/0/type',
    suggestion: 'http_request',
  },
  {
    code: 'pipe-type-old',
    name: 'an older name',
    document: sending(pipe(1, 'packer', { template: {} })),
    says: '"packer" is an older name; write "pack"',
    suggestion: 'pack',
  },
  {
    code: 'pipe-id-twice',
    name: 'two pipes with an id',
    document: sending(hello, hello),
    says: 'Two pipes of this pipeline have the id 1',
    pointer: '/pipelines/message/1/id',
  },
  {
    code: 'pipe-params',
    name: 'params that contradict each other',
    document: sending(pipe(1, 'selector', { outs: [{ query: '1 = 1', when: 'true', out: 2 }] }), {
      ...hello,
      id: 2,
    }),
    says: 'exactly one of them',
    pointer: '/pipelines/message/0/params/outs/0',
  },
  {
    code: 'exit-dangling',
    name: 'an exit to nowhere',
    document: sending(pipe(1, 'log', { message: 'Hi' }, { success: 9 })),
    says: 'The exit leads to pipe 9, which does not exist',
    pointer: '/pipelines/message/0/outs/success',
  },
  {
    code: 'exit-dangling',
    name: 'a branch to nowhere',
    document: sending(pipe(1, 'selector', { outs: [{ query: '1 = 1', out: 9 }] })),
    says: 'pipe 9',
    pointer: '/pipelines/message/0/params/outs/0/out',
  },
  {
    code: 'exit-dangling',
    name: 'a missing record to nowhere',
    document: sending(pipe(1, 'store_get', { key: 'k', not_found: 9 })),
    says: 'pipe 9',
    pointer: '/pipelines/message/0/params/not_found',
  },
  {
    code: 'exit-itself',
    name: 'an exit to itself',
    document: sending(pipe(1, 'http_request', { url: 'https://a.example' }, { error: 1 })),
    says: 'Pipe 1 leads back to itself',
    pointer: '/pipelines/message/0/outs/error',
  },
  {
    code: 'entry-dangling',
    name: 'an event handed to nowhere',
    document: sending(pipe(1, 'scheduled', { pipe_id: 3 })),
    says: 'but the channel has none',
    pointer: '/pipelines/message/0/params/pipe_id',
  },
  {
    code: 'pipe-unreachable',
    name: 'a pipe nothing leads to',
    document: sending(hello, { ...hello, id: 2 }),
    says: 'No exit leads to pipe 2',
    pointer: '/pipelines/message/1',
  },
  {
    code: 'circle',
    name: 'a circle',
    document: sending(
      pipe(1, 'log', { message: 'a' }, { success: 2 }),
      pipe(2, 'log', { message: 'b' }, { success: 1 }),
    ),
    says: 'The way 1 → 2 → 1 goes in a circle',
    pointer: '/pipelines/message/1/outs/success',
  },
];

/** Examples of these findings. */
export const EVENTS: readonly Example[] = [
  {
    code: 'event-undeclared',
    name: 'a misspelt event',
    document: sending(pipe(1, 'event', { sid: 'acepted' })),
    says: 'The channel declares no event "acepted". Did you mean "accepted"?',
    pointer: '/pipelines/message/0/params/sid',
    suggestion: 'accepted',
  },
  {
    code: 'event-undeclared',
    name: 'an unknown action',
    document: sending(pipe(1, 'event', { event_type: 'send', channel_id: 10001, action_type: 7 })),
    says: 'no event with the id 7',
  },
  {
    code: 'event-mismatch',
    name: 'another type',
    document: sending(pipe(1, 'event', { event_type: 'send', channel_id: 10001, action_type: 100002 })),
    says: 'is declared with the type "deliv", not "send"',
    pointer: '/pipelines/message/0/params/event_type',
  },
  {
    code: 'event-mismatch',
    name: 'another channel',
    document: sending(pipe(1, 'event', { event_type: 'send', channel_id: 7, action_type: 100001 })),
    says: 'The id of this channel is 10001, not 7',
    pointer: '/pipelines/message/0/params/channel_id',
  },
  {
    code: 'event-without-message',
    name: 'an event of no message',
    document: withPipeline('listener', pipe(1, 'event', { sid: 'delivered' })),
    says: 'give "send_message_id" or "external_id"',
  },
];
