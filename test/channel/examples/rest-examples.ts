/** Wrong operations, listeners and moderation. */
import { direct, indirect } from '../documents.ts';
import {
  changed,
  type Example,
  hello,
  OPERATION,
  operation,
  pipe,
  sending,
  wall,
  withListener,
} from './build.ts';

/** Examples of these findings. */
export const REST: readonly Example[] = [
  {
    code: 'operation-pipe',
    name: 'a pipe that waits',
    document: operation(
      pipe(1, 'scheduled', { pipe_id: 1 }, { success: 2 }),
      pipe(2, 'result', { path: '$in' }),
    ),
    says: 'it cannot use scheduled',
    pointer: `${OPERATION}/0/type`,
  },
  {
    code: 'operation-unfinished',
    name: 'a way without result',
    document: operation(
      pipe(1, 'http_request', { url: 'https://a.example' }, { success: 2 }),
      pipe(2, 'unpack'),
    ),
    says: 'ends at pipe 2 without a result',
    pointer: `${OPERATION}/1`,
  },
  {
    code: 'result-twice',
    name: 'two results on a way',
    document: operation(
      pipe(1, 'result', { path: '$in' }, { success: 2 }),
      pipe(2, 'result', { path: '$in' }),
    ),
    says: 'a run has one result',
    pointer: `${OPERATION}/1`,
  },
  {
    code: 'result-unused',
    name: 'a result of a message',
    document: sending(pipe(1, 'result', { path: '$in' })),
    says: 'Nobody reads the result of the message pipeline',
  },
  {
    code: 'listener-verify',
    name: 'a signature without place',
    document: withListener({ verify: { type: 'hmac', secrets: ['$sender.signing'] } }),
    says: 'exactly one of "header", "query" and "body"; it has none',
    pointer: '/listener/verify',
  },
  {
    code: 'listener-verify',
    name: 'no secret',
    document: withListener({ verify: { preset: 'slack' } }),
    says: 'must name at least one secret',
  },
  {
    code: 'listener-response',
    name: 'a body with 204',
    document: withListener({ response: { status: 204, body: 'x' } }),
    says: 'has no body',
    pointer: '/listener/response/body',
  },
  {
    code: 'listener-dedupe',
    name: 'a name for all',
    document: withListener({ dedupe: 'same' }),
    says: 'all but the first would be taken for repeats',
    pointer: '/listener/dedupe',
  },
  {
    code: 'listener-unused',
    name: 'a listener without pipeline',
    document: changed(direct(), { pipelines: { message: [hello] } }),
    says: 'add "listener" to "pipelines"',
  },
  {
    code: 'moderate-direct',
    name: 'a moderated direct channel',
    document: changed(direct(), { moderate: true }),
    says: 'Only indirect channels are moderated',
    pointer: '/moderate',
  },
  {
    code: 'moderate-without-pass',
    name: 'moderation that never ends',
    document: wall({ pipelines: { ...indirect().pipelines, moderate: [hello] } }),
    says: 'no mailing could ever start',
  },
  {
    code: 'moderate-event-unused',
    name: 'moderation of nothing',
    document: sending(pipe(1, 'event', { event_type: 'moderate_pass' })),
    says: 'nothing waits for this event',
  },
  {
    code: 'delivery-mode',
    name: 'a mode that does not exist yet',
    document: changed(direct(), { delivery: { mode: 'file' } }),
    says: 'The delivery mode "file" does not exist in this version',
    pointer: '/delivery/mode',
  },
  {
    code: 'stop-missing',
    name: 'placements that stay',
    document: changed(direct(), { mailing_types: ['placement'] }),
    says: 'has no Stop pipeline',
  },
];
