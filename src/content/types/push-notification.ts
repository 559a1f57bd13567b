import { own } from '../../json.ts';
import { type ContentFinding, type ContentStage, defineType } from './contract.ts';
import { blankTexts, tooLong, wrongDeepLink, wrongUrl } from './rules.ts';

/** What telephones show before they cut. */
const TITLE_MAX = 65;
const BODY_MAX = 240;

export const pushNotification = defineType({
  name: 'push_notification',
  summary: 'A notification on a telephone or in a browser.',
  schema: {
    type: 'object',
    properties: {
      title: { type: 'string', description: `At most ${TITLE_MAX} characters as rendered.` },
      body: { type: 'string', description: `At most ${BODY_MAX} characters as rendered.` },
      imageUrl: { type: 'string' },
      deepLink: { type: 'string', description: 'What a tap opens: a web address, or one of an app.' },
      actions: {
        type: 'array',
        maxItems: 10,
        items: {
          type: 'object',
          properties: {
            action: { type: 'string', maxLength: 255 },
            title: { type: 'string', maxLength: 255 },
            label: { type: 'string', maxLength: 255 },
            icon: { type: 'string' },
            url: { type: 'string' },
            deepLink: { type: 'string' },
          },
          additionalProperties: false,
        },
      },
    },
    required: ['title', 'body'],
    additionalProperties: false,
  },
  personalizable: ([first, , last]) => (first === 'actions' && last === 'action' ? undefined : 'text'),
  check: (content, stage) => [
    ...blankTexts(content, ['title', 'body']),
    ...tooLong('/title', 'title', own(content, 'title'), TITLE_MAX, stage),
    ...tooLong('/body', 'body', own(content, 'body'), BODY_MAX, stage),
    ...wrongUrl('/imageUrl', own(content, 'imageUrl'), stage),
    ...wrongDeepLink('/deepLink', own(content, 'deepLink'), stage),
    ...wrongActions(own(content, 'actions'), stage),
  ],
});

function wrongActions(actions: unknown, stage: ContentStage): ContentFinding[] {
  if (!Array.isArray(actions)) return [];
  return actions.flatMap((action, index) => [
    ...wrongUrl(`/actions/${index}/icon`, own(action, 'icon'), stage),
    ...wrongUrl(`/actions/${index}/url`, own(action, 'url'), stage),
    ...wrongDeepLink(`/actions/${index}/deepLink`, own(action, 'deepLink'), stage),
  ]);
}
