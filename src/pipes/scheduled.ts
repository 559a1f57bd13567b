/** `scheduled`: hands the event to the Schedule pipeline. */
import { Failure } from '../errors.ts';
import { isObject } from '../json.ts';
import { definePipe } from './contract.ts';
import { dueTime } from './moment.ts';
import { any, entry, number, string } from './params.ts';

export const scheduled = definePipe({
  type: 'scheduled',
  summary: 'Hands an event to the Schedule pipeline, where it enters at a pipe when it is due.',
  params: {
    pipe_id: entry('The pipe of the Schedule pipeline where it enters.', { required: true }),
    delay: number('Seconds until it is due.', { default: 60, templates: true, minimum: 0 }),
    at: string('When it is due, as ISO 8601 time, instead of `delay`.', { templates: true }),
    template: any('The object that becomes `$in` and `$origin` there. Default: the whole `$in`.', {
      templates: true,
      typed: true,
    }),
  },
  needs: ['later'],
  adds: () => ({}),
  waits: true,
  errors: ['PIPE_PARAMS'],
  examples: [
    {
      name: 'ask for the state in five minutes',
      params: { pipe_id: 3, delay: 300, template: { id: '$in.data.id', tries: '$#in.tries' } },
      in: { data: { id: 'p-9' }, tries: 1 },
      expect: { exit: 'success', later: [{ pipe: 3, delaySeconds: 300, value: { id: 'p-9', tries: 1 } }] },
    },
    {
      name: 'the whole $in, after the usual minute',
      params: { pipe_id: 3 },
      in: { id: 'p-9' },
      expect: { exit: 'success', later: [{ pipe: 3, delaySeconds: 60, value: { id: 'p-9' } }] },
    },
    {
      name: 'at a given time',
      params: { pipe_id: 3, at: '$camp_schedule.stop_time', template: '$in.data' },
      in: { data: { id: 'p-9' } },
      scope: { camp_schedule: { stop_time: '2026-03-01T12:00:00+03:00' } },
      expect: {
        exit: 'success',
        later: [{ pipe: 3, at: '2026-03-01T09:00:00.000Z', value: { id: 'p-9' } }],
      },
    },
    {
      name: 'a time that is none',
      params: { pipe_id: 3, at: '$in.at' },
      in: { at: 'tomorrow' },
      expect: { exit: 'error', code: 'PIPE_PARAMS' },
    },
  ],
  check: (params) =>
    Object.hasOwn(params, 'at') && Object.hasOwn(params, 'delay')
      ? [{ pointer: '/at', message: 'Give either "at" or "delay": an event has one time when it is due.' }]
      : [],
  run: ({ pipe_id, delay, at, template }, context) => {
    const value = template === undefined ? context.in : template;
    if (!isObject(value)) {
      throw new Failure(
        'PIPE_PARAMS',
        '"template" must give an object, because it becomes $in of the Schedule pipeline; write { "value": … } around it.',
      );
    }
    if (!(delay >= 0)) {
      throw new Failure('PIPE_PARAMS', `"delay" is ${delay}; an event cannot be due before now.`);
    }
    const due = at === undefined || at === '' ? { delaySeconds: delay } : { at: dueTime(at, 'at') };
    context.can.later({ pipe: pipe_id, value, ...due });
    return undefined;
  },
});
