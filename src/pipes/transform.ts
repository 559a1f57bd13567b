/** `transform`: computes a member of `$in` with JSONata. */
import { definePipe } from './contract.ts';
import { jsonata, string } from './params.ts';

export const transform = definePipe({
  type: 'transform',
  summary: 'Evaluates a JSONata expression over the event and puts the result into `$in.<name>`.',
  params: {
    expression: jsonata('The expression; keywords are variables, as in `$in.data.items[0]`.', {
      required: true,
    }),
    name: string('The member of `$in` that gets the result. An expression that finds nothing gives null.', {
      required: true,
    }),
  },
  needs: [],
  adds: ({ name }) => (typeof name === 'string' ? { [name]: 'any' } : {}),
  errors: ['JSONATA_FAILED', 'EXPRESSION_LIMIT'],
  examples: [
    {
      name: 'a sum',
      params: { expression: '$sum($in.data.parts.price)', name: 'cost' },
      in: { data: { parts: [{ price: 2 }, { price: 3 }] } },
      expect: { exit: 'success', add: { cost: 5 } },
    },
    {
      name: 'another shape',
      params: { expression: '{ "to": $in.phone, "text": $uppercase($in.text) }', name: 'sms' },
      in: { phone: '+100', text: 'hi' },
      expect: { exit: 'success', add: { sms: { to: '+100', text: 'HI' } } },
    },
    {
      name: 'nothing found is null',
      params: { expression: "$in.items[state = 'new']", name: 'new' },
      in: { items: [{ state: 'old' }] },
      expect: { exit: 'success', add: { new: null } },
    },
    {
      name: 'an expression that fails',
      params: { expression: '$number($in.text)', name: 'n' },
      in: { text: 'seven' },
      expect: { exit: 'error', code: 'JSONATA_FAILED' },
    },
  ],
  run: async ({ expression, name }) => {
    const value = expression();
    return { add: { [name]: (value instanceof Promise ? await value : value) ?? null } };
  },
});
