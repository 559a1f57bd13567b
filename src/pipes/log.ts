/** `log`: writes a log line, kept with the run. */
import { definePipe } from './contract.ts';
import { oneOf, string } from './params.ts';

export const log = definePipe({
  type: 'log',
  summary: 'Writes a line to the log; it is kept with the run.',
  params: {
    level: oneOf('How important it is.', ['info', 'debug', 'warn', 'error', 'trace'], { default: 'info' }),
    message: string('The text of the line.', { required: true, templates: true }),
    prefix: string('What stands before it. Default: `<channel>|<pipe>`.', { templates: true }),
  },
  needs: ['log'],
  adds: () => ({}),
  errors: [],
  examples: [
    {
      name: 'a warning with a value',
      params: { level: 'warn', message: 'Provider said $in.data.state' },
      in: { data: { state: 'slow' } },
      scope: { channel: { sid: 'acme_sms', id: 10001 } },
      expect: {
        exit: 'success',
        logs: [{ level: 'warn', message: 'Provider said slow', prefix: 'acme_sms|1' }],
      },
    },
    {
      name: 'a prefix of its own',
      params: { message: 'Accepted', prefix: 'acme $in.id' },
      in: { id: 9 },
      expect: { exit: 'success', logs: [{ level: 'info', message: 'Accepted', prefix: 'acme 9' }] },
    },
    {
      name: 'a value that is not there',
      params: { message: '$in.data.state' },
      in: {},
      expect: { exit: 'error', code: 'TEMPLATE_VALUE_MISSING' },
    },
  ],
  run: ({ level, message, prefix }, context) => {
    context.can.log({ level, message, prefix: prefix ?? `${context.channel}|${context.pipe}` });
    return undefined;
  },
});
