/** A template that WhatsApp has approved: its own placeholders are numbers, `{{1}}`, and each is mapped to a value. */
import { isObject, own, pointerTo } from '../../json.ts';
import { type Content, type ContentFinding, defineType } from './contract.ts';
import { blankTexts, errorAt } from './rules.ts';

const oneOf = { anyOf: [{ type: 'string' }, { type: 'number' }] };

export const whatsappTemplate = defineType({
  name: 'whatsapp_template',
  summary: 'A message template that WhatsApp has approved, with values for its placeholders.',
  schema: {
    type: 'object',
    properties: {
      templateName: { type: 'string', maxLength: 512 },
      language: { type: 'string', maxLength: 20, description: 'As WhatsApp names it, for example `en_US`.' },
      category: { type: 'string', maxLength: 64 },
      components: {
        type: 'array',
        maxItems: 100,
        items: { type: 'object', additionalProperties: true },
        description: 'The template as WhatsApp knows it, with {{1}}, {{2}}… in its texts.',
      },
      variables: {
        description:
          'Values in the order of their numbers, or by number: { "1": "{{ customer.first_name }}" }.',
        anyOf: [
          { type: 'array', maxItems: 100, items: oneOf },
          { type: 'object', propertyNames: { pattern: '^[1-9][0-9]{0,2}$' }, additionalProperties: oneOf },
        ],
      },
    },
    required: ['templateName', 'language'],
    additionalProperties: false,
  },
  // What WhatsApp approved is sent as it is; only the values differ from person to person.
  personalizable: ([first]) => (first === 'variables' ? 'text' : undefined),
  check: (content) => [
    ...blankTexts(content, ['templateName', 'language']),
    ...wrongNames(own(content, 'components'), '/components'),
    ...wrongNumbers(content),
  ],
});

/** Nothing renders the texts of WhatsApp here, so a variable in one would reach people as it is written. */
function wrongNames(value: unknown, pointer: string): ContentFinding[] {
  if (typeof value === 'string') {
    return [...value.matchAll(/\{\{(?!\s*[1-9]\d{0,2}\s*\}\})[^{}]*\}\}|\{%[^%]*%\}/g)].map(([name]) =>
      errorAt(
        pointer,
        'placeholder-name',
        `${name} is no placeholder of WhatsApp: write a number, as {{1}}, and map it in "variables".`,
      ),
    );
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => wrongNames(member, pointerTo(pointer, name)));
}

function wrongNumbers(content: Content): ContentFinding[] {
  const used = new Set(numbersIn(own(content, 'components')));
  const mapped = new Set(mappedNumbers(own(content, 'variables')));
  const known = used.size > 0 ? used : mapped;
  const place = used.size > 0 ? '/components' : '/variables';
  const last = Math.max(0, ...known);
  const findings: ContentFinding[] = [];
  for (let number = 1; number <= last; number += 1) {
    if (!known.has(number)) {
      const message = `The placeholders go up to {{${last}}}, but {{${number}}} is missing; number them without holes.`;
      findings.push(errorAt(place, 'placeholder-hole', message));
    } else if (!mapped.has(number)) {
      const message = `{{${number}}} has no value; add "${number}" to "variables".`;
      findings.push(errorAt(pointerTo('/variables', number), 'placeholder-unmapped', message));
    }
  }
  if (used.size === 0) return findings;
  for (const number of mapped) {
    if (used.has(number)) continue;
    const message = `No text of "components" has {{${number}}}; WhatsApp refuses values that it does not expect.`;
    findings.push({
      severity: 'warning',
      code: 'placeholder-unused',
      pointer: pointerTo('/variables', number),
      message,
    });
  }
  return findings;
}

function numbersIn(value: unknown): number[] {
  if (typeof value === 'string') {
    return [...value.matchAll(/\{\{\s*([1-9]\d{0,2})\s*\}\}/g)].map((match) => Number(match[1]));
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

function mappedNumbers(variables: unknown): number[] {
  if (Array.isArray(variables)) return variables.map((_, index) => index + 1);
  return isObject(variables) ? Object.keys(variables).map(Number) : [];
}
