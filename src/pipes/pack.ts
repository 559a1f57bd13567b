/** `pack`: builds JSON or XML into `$in.body`. */
import { definePipe } from './contract.ts';
import { any, oneOf } from './params.ts';
import { buildXml } from './xml.ts';

export const pack = definePipe({
  type: 'pack',
  aliases: ['packer'],
  summary: 'Builds a JSON or XML text from a template and puts its bytes into `$in.body`.',
  params: {
    type: oneOf('The format to build.', ['JSON', 'XML'], { default: 'JSON' }),
    template: any('What to build. JSON is built structurally: no value can break it.', {
      required: true,
      templates: true,
    }),
  },
  needs: [],
  adds: () => ({ body: 'bytes' }),
  errors: ['PIPE_PARAMS'],
  examples: [
    {
      name: 'a JSON body with a value of its own type',
      params: { template: { to: '$in.phone', priority: '$#in.priority' } },
      in: { phone: '+100', priority: 3 },
      expect: { exit: 'success', add: { body: '{"to":"+100","priority":3}' } },
    },
    {
      name: 'quotes and newlines cannot break the body',
      params: { template: { text: '$in.text' } },
      in: { text: '"quoted"\nand more' },
      expect: { exit: 'success', add: { body: '{"text":"\\"quoted\\"\\nand more"}' } },
    },
    {
      name: 'a list is repeated per item',
      params: { template: { '$$in.people[to]': [{ phone: '[$]phone', age: '[$#]age' }] } },
      in: {
        people: [
          { phone: '+1', age: 30 },
          { phone: '+2', age: 40 },
        ],
      },
      expect: { exit: 'success', add: { body: '{"to":[{"phone":"+1","age":30},{"phone":"+2","age":40}]}' } },
    },
    {
      name: 'XML with an attribute',
      params: { type: 'XML', template: { sms: { '-id': '$in.id', text: '$in.text' } } },
      in: { id: 7, text: 'a < b' },
      expect: { exit: 'success', add: { body: '<sms id="7"><text>a &lt; b</text></sms>' } },
    },
  ],
  run: ({ type, template }) => ({
    add: { body: type === 'XML' ? buildXml(template) : Buffer.from(JSON.stringify(template) ?? 'null') },
  }),
});
