/** `error`: ends an operation with an error. */
import { Failure } from '../errors.ts';
import { definePipe } from './contract.ts';
import { string } from './params.ts';

export const error = definePipe({
  type: 'error',
  summary: 'Ends an operation with an error that its caller sees.',
  params: {
    code: string('A short name or number of the error, for programs.', {
      required: true,
      templates: true,
      alternatives: [{ type: 'integer' }],
    }),
    message: string('What went wrong and what to do, for people.', { required: true, templates: true }),
  },
  needs: [],
  adds: () => ({}),
  ends: true,
  errors: ['OPERATION_ERROR'],
  examples: [
    {
      name: 'the list cannot be read',
      params: { code: 'no_access', message: 'The token of $sender.name may not read categories.' },
      scope: { sender: { name: 'Acme' } },
      expect: { exit: 'error', code: 'OPERATION_ERROR' },
    },
    {
      name: "the provider's own code",
      params: { code: '$in.data.code', message: '${in.data.text?}' },
      in: { data: { code: 42, text: 'Unknown template' } },
      expect: { exit: 'error', code: 'OPERATION_ERROR' },
    },
  ],
  run: ({ code, message }) => {
    throw new Failure(
      'OPERATION_ERROR',
      message === '' ? `The operation failed with code ${code}.` : message,
      {
        extra: { code },
      },
    );
  },
});
