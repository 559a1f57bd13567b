import { own } from '../../json.ts';
import { type ContentFinding, defineType } from './contract.ts';
import { blankTexts, errorAt, hasLiquid } from './rules.ts';

const MAILBOX = /^[^\s@<>]+@[^\s@<>]+$/;

export const emailHtml = defineType({
  name: 'email_html',
  summary: 'An email: subject, HTML, and the text for programs that show no HTML.',
  schema: {
    type: 'object',
    properties: {
      subject: { type: 'string', maxLength: 998 },
      html: { type: 'string' },
      text: { type: 'string', description: 'Shown where HTML is not.' },
      preheader: {
        type: 'string',
        maxLength: 998,
        description: 'Shown beside the subject in lists of mail.',
      },
      fromName: { type: 'string', maxLength: 255 },
      replyTo: { type: 'string', maxLength: 320, description: 'An email address.' },
    },
    required: ['subject', 'html'],
    additionalProperties: false,
  },
  personalizable: ([key]) => (key === 'html' ? 'html' : 'text'),
  check: (content, stage) => [
    ...blankTexts(content, ['subject', 'html']),
    ...lineBreaks(content),
    ...replyTo(own(content, 'replyTo'), stage === 'saved'),
    ...withoutText(own(content, 'text')),
  ],
});

/** These become headers of the mail, where a line break would begin another header. */
function lineBreaks(content: object): ContentFinding[] {
  return ['subject', 'fromName', 'replyTo'].flatMap((name) =>
    /[\r\n]/.test(String(own(content, name) ?? ''))
      ? [errorAt(`/${name}`, 'line-break', `"${name}" must be one line; remove the line break.`)]
      : [],
  );
}

function replyTo(value: unknown, saved: boolean): ContentFinding[] {
  if (typeof value !== 'string' || value === '' || (saved && hasLiquid(value))) return [];
  return MAILBOX.test(value)
    ? []
    : [
        errorAt(
          '/replyTo',
          'email-address',
          '"replyTo" must be one email address, such as shop@example.com.',
        ),
      ];
}

function withoutText(value: unknown): ContentFinding[] {
  if (typeof value === 'string' && value.trim() !== '') return [];
  const message =
    'There is no "text": programs that show no HTML show nothing, and spam filters like such mail less.';
  return [{ severity: 'warning', code: 'text-missing', pointer: '/text', message }];
}
