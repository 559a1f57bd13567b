import { own } from '../../json.ts';
import { measureSms, type SmsSize } from '../sms-text.ts';
import { type ContentFinding, type ContentStage, defineType } from './contract.ts';
import { blankTexts, errorAt, hasLiquid } from './rules.ts';

/** The header for joining counts parts in one byte. */
const MOST_SEGMENTS = 255;

export const smsText = defineType({
  name: 'sms_text',
  summary: 'A text message.',
  schema: {
    type: 'object',
    properties: { body: { type: 'string' } },
    required: ['body'],
    additionalProperties: false,
  },
  personalizable: () => 'text',
  check: (content, stage) => {
    const body = String(own(content, 'body'));
    return [...blankTexts(content, ['body']), ...sizeOf(body, stage)];
  },
});

function sizeOf(body: string, stage: ContentStage): ContentFinding[] {
  const size = measureSms(body);
  const open = stage === 'saved' && hasLiquid(body);
  if (size.segments > MOST_SEGMENTS && !open) {
    return [
      errorAt(
        '/body',
        'sms-too-long',
        `The text takes ${size.segments} SMS, and at most ${MOST_SEGMENTS} can be joined; shorten it.`,
      ),
    ];
  }
  const { encoding, characters, segments, forcedBy } = size;
  return [
    {
      severity: encoding === 'UCS-2' ? 'warning' : 'info',
      code: 'sms-size',
      pointer: '/body',
      message: sentenceOf(size, open),
      facts: { encoding, characters, segments, forcedBy: forcedBy ?? null },
    },
  ];
}

function sentenceOf({ encoding, characters, segments, forcedBy }: SmsSize, open: boolean): string {
  const [alone, joined] = encoding === 'GSM-7' ? [160, 153] : [70, 67];
  const when = open ? ' before personalization' : '';
  const size = `The text takes ${segments} SMS${when}: ${characters} characters of ${encoding}, where one SMS holds ${alone} and each of several ${joined}.`;
  if (forcedBy === undefined) return size;
  const code = (forcedBy.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `${size} The character "${forcedBy}" (U+${code}) is not in GSM-7 and forces UCS-2; replace it to make the text cheaper.`;
}
