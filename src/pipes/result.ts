/** `result`: sets the result of an operation. */
import { Failure } from '../errors.ts';
import { isObject } from '../json.ts';
import { definePipe } from './contract.ts';
import { any } from './params.ts';

export const result = definePipe({
  type: 'result',
  summary: 'Sets the result of an operation; once per run.',
  params: {
    path: any(
      'The result: an object or an array of objects. One whole reference keeps the type of its value, with or without `#`.',
      { default: '$in.data', templates: true, typed: true },
    ),
  },
  needs: ['result'],
  adds: () => ({}),
  errors: ['PIPE_PARAMS', 'RESULT_TWICE'],
  examples: [
    {
      name: 'what was unpacked',
      params: {},
      in: { data: { id: 7, name: 'News' } },
      expect: { exit: 'success', result: { id: 7, name: 'News' } },
    },
    {
      name: 'a list inside the answer',
      params: { path: '$in.data.items' },
      in: { data: { items: [{ id: 1 }, { id: 2 }] } },
      expect: { exit: 'success', result: [{ id: 1 }, { id: 2 }] },
    },
    {
      name: 'a shape of its own',
      params: { path: { '$$in.data.items[list]': [{ value: '[$#]id', text: '[$]title' }] } },
      in: { data: { items: [{ id: 1, title: 'One' }] } },
      expect: { exit: 'success', result: { list: [{ value: 1, text: 'One' }] } },
    },
    {
      name: 'a text is no result',
      params: { path: '$in.data.name' },
      in: { data: { name: 'News' } },
      expect: { exit: 'error', code: 'PIPE_PARAMS' },
    },
  ],
  run: ({ path }, context) => {
    if (!isObject(path) && !(Array.isArray(path) && path.every(isObject))) {
      throw new Failure(
        'PIPE_PARAMS',
        path instanceof Uint8Array
          ? 'The result is bytes; put an unpack before this pipe and give its "$in.data".'
          : 'The result must be an object or an array of objects; give "path" a reference to one, or build one.',
      );
    }
    context.can.result(path);
    return undefined;
  },
});
