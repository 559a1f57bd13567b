import { own } from '../../json.ts';
import { defineType } from './contract.ts';
import { blankTexts, wrongUrl } from './rules.ts';

export const contentCard = defineType({
  name: 'content_card',
  summary: 'A card in a feed.',
  schema: {
    type: 'object',
    properties: {
      title: { type: 'string', maxLength: 1_000 },
      body: { type: 'string' },
      imageUrl: { type: 'string' },
      url: { type: 'string' },
      cta: { type: 'string', maxLength: 255, description: 'The label of the call to action.' },
    },
    required: ['title'],
    additionalProperties: false,
  },
  personalizable: () => 'text',
  check: (content, stage) => [
    ...blankTexts(content, ['title']),
    ...wrongUrl('/imageUrl', own(content, 'imageUrl'), stage),
    ...wrongUrl('/url', own(content, 'url'), stage),
  ],
});
