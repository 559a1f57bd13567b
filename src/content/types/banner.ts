import { own } from '../../json.ts';
import { defineType } from './contract.ts';
import { blankTexts, wrongUrl } from './rules.ts';

export const banner = defineType({
  name: 'banner',
  summary: 'A picture with a link on a page or in an app.',
  schema: {
    type: 'object',
    properties: {
      imageUrl: { type: 'string' },
      headline: { type: 'string', maxLength: 1_000 },
      altText: {
        type: 'string',
        maxLength: 1_000,
        description: 'Read out to people who do not see the picture.',
      },
      linkUrl: { type: 'string' },
    },
    required: ['imageUrl', 'altText'],
    additionalProperties: false,
  },
  personalizable: () => 'text',
  check: (content, stage) => [
    ...blankTexts(content, ['imageUrl', 'altText']),
    ...wrongUrl('/imageUrl', own(content, 'imageUrl'), stage),
    ...wrongUrl('/linkUrl', own(content, 'linkUrl'), stage),
  ],
});
