import { own } from '../../json.ts';
import { type ContentFinding, type ContentStage, defineType } from './contract.ts';
import { errorAt, wrongUrl } from './rules.ts';

export const inAppModal = defineType({
  name: 'in_app_modal',
  summary: 'A dialogue inside an app, with at least one button.',
  schema: {
    type: 'object',
    properties: {
      title: { type: 'string', maxLength: 1_000 },
      body: { type: 'string' },
      imageUrl: { type: 'string' },
      buttons: {
        type: 'array',
        maxItems: 10,
        items: {
          type: 'object',
          properties: {
            label: { type: 'string', maxLength: 255 },
            action: {
              type: 'string',
              maxLength: 255,
              description: 'What the app does, for example `dismiss`.',
            },
            url: { type: 'string' },
          },
          required: ['label'],
          additionalProperties: false,
        },
      },
    },
    required: ['buttons'],
    additionalProperties: false,
  },
  personalizable: ([first, , last]) => (first === 'buttons' && last === 'action' ? undefined : 'text'),
  check: (content, stage) => [
    ...wrongUrl('/imageUrl', own(content, 'imageUrl'), stage),
    ...wrongButtons(own(content, 'buttons'), stage),
  ],
});

function wrongButtons(buttons: unknown, stage: ContentStage): ContentFinding[] {
  if (!Array.isArray(buttons) || buttons.length === 0) {
    return [
      errorAt('/buttons', 'buttons-missing', 'A modal needs at least one button, or nobody can close it.'),
    ];
  }
  return buttons.flatMap((button, index) => [
    ...(String(own(button, 'label')).trim() === ''
      ? [errorAt(`/buttons/${index}/label`, 'blank', 'A button needs a label.')]
      : []),
    ...wrongUrl(`/buttons/${index}/url`, own(button, 'url'), stage),
  ]);
}
