/** Wrong fields, entities and content. */
import { direct, indirect } from '../documents.ts';
import { changed, type Example, hello, wall, wallPipes, withField } from './build.ts';

/** Examples of these findings. */
export const FIELDS: readonly Example[] = [
  {
    code: 'field-missing',
    name: 'direct without address',
    document: changed(direct(), {
      fields: { ...direct().fields, subscription: [] },
      pipelines: { message: [hello] },
      listener: undefined,
    }),
    says: 'needs at least one subscription field',
  },
  {
    code: 'field-missing',
    name: 'indirect without resource field',
    document: wall({
      fields: {
        ...indirect().fields,
        template: [{ field: 'text', type: 'text', name: 'T' }],
        resource: [{ type: 'divider' }],
      },
    }),
    options: wallPipes([hello]),
    says: 'needs at least one resource field',
  },
  {
    code: 'field-twice',
    name: 'two fields with a name',
    document: withField('template', { field: 'text', type: 'text', name: 'Again' }),
    says: 'Two fields of this group have the name "text"',
  },
  {
    code: 'field-options',
    name: 'an enum without options',
    document: withField('template', { field: 'kind', type: 'enum', name: 'K' }),
    says: 'so it needs "options"',
  },
  {
    code: 'field-default',
    name: 'a default that does not fit',
    document: withField('template', { field: 'n', type: 'int', name: 'N', default: 'x' }),
    says: 'must be a whole number',
    pointer: '/fields/template/0/default',
  },
  {
    code: 'field-limits',
    name: 'limits the wrong way round',
    document: withField('template', { field: 'n', type: 'int', name: 'N', min: 3, max: 2 }),
    says: '"min" is 3 and "max" is 2',
  },
  {
    code: 'field-setting',
    name: 'options of an int',
    document: withField('template', { field: 'n', type: 'int', name: 'N', pattern: '1' }),
    says: '"pattern" means nothing for a field of type "int"',
    pointer: '/fields/template/0/pattern',
  },
  {
    code: 'secret-group',
    name: 'a secret among the content',
    document: withField('template', { field: 'key', type: 'string', name: 'K', secret: true }),
    says: 'Make it a sender, resource, account or subscription field',
  },
  {
    code: 'secret-default',
    name: 'a secret with a default',
    document: withField('sender', { field: 'key', type: 'string', name: 'K', secret: true, default: 'k' }),
    says: 'leave "default" out',
  },
  {
    code: 'regex-invalid',
    name: 'a pattern that looks ahead',
    document: withField('subscription', { field: 'p', type: 'string', name: 'P', pattern: '^(?!0)\\d+$' }),
    says: 'Lookahead, lookbehind and back references are not supported',
    pointer: '/fields/subscription/0/pattern',
  },
  {
    code: 'entity-unknown',
    name: 'an entity that is not declared',
    document: wall({
      fields: { ...indirect().fields, mailing: [{ field: 'category', type: 'entity', entity: 'categry' }] },
    }),
    says: 'There is no entity "categry". Did you mean "category"?',
    suggestion: 'category',
  },
  {
    code: 'entity-twice',
    name: 'two entities with a sid',
    document: wall({ entities: [...indirect().entities, ...indirect().entities] }),
    says: 'Two entities have the sid "category"',
    pointer: '/entities/1/sid',
  },
  {
    code: 'entity-field',
    name: 'a preview that is no field',
    document: wall({ entities: [{ ...indirect().entities[0], preview: 'titel' }] }),
    says: 'The entity has no field "titel". Did you mean "title"?',
    pointer: '/entities/0/preview',
    suggestion: 'title',
  },
  {
    code: 'content-unknown',
    name: 'a misspelt content key',
    document: changed(direct(), { content: { sms_text: { text: 'bdy' } } }),
    says: 'Content of type "sms_text" has no "bdy". Did you mean "body"?',
    pointer: '/content/sms_text/text',
    suggestion: 'body',
  },
  {
    code: 'address-unknown',
    name: 'an address that is no field',
    document: changed(direct(), { address: 'phon' }),
    says: 'The channel has no subscription field "phon". Did you mean "phone"?',
    pointer: '/address',
    suggestion: 'phone',
  },
  {
    code: 'suppress-unknown',
    name: 'a misspelt event that suppresses',
    document: changed(direct(), { suppress: { hbounc: { scope: 'global' } } }),
    says: '"hbounc" is neither an event of this channel nor a platform event type. Did you mean "hbounce"?',
    pointer: '/suppress/hbounc',
    suggestion: 'hbounce',
  },
  {
    code: 'suppress-unused',
    name: 'suppression in an indirect channel',
    document: wall({ suppress: {} }),
    says: '"suppress" means nothing in an indirect channel',
    pointer: '/suppress',
  },
  {
    code: 'liquid-syntax',
    name: 'Liquid that does not end',
    document: withField('template', { field: 'g', type: 'text', name: 'G', default: '{{ customer.name' }),
    says: 'Liquid',
    pointer: '/fields/template/0/default',
  },
  {
    code: 'personal-data',
    name: 'Liquid about a person',
    document: wall({
      fields: {
        ...indirect().fields,
        template: [{ field: 'text', type: 'text', name: 'T', default: 'Hi {{ customer.name }}' }],
      },
    }),
    says: '{{ customer.name }} is personal data',
    pointer: '/fields/template/0/default',
  },
];
