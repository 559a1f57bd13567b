import { isObject, own, pointerTo } from '../../json.ts';
import { type ContentFinding, defineType } from './contract.ts';
import { errorAt, hasLiquid } from './rules.ts';

export const webhookJson = defineType({
  name: 'webhook_json',
  summary: 'A JSON object for a program; its texts may be personalized, its structure is fixed.',
  schema: {
    type: 'object',
    properties: { payload: { type: 'object', additionalProperties: true } },
    required: ['payload'],
    additionalProperties: false,
  },
  personalizable: () => 'text',
  check: (content, stage) => (stage === 'saved' ? liquidNames(own(content, 'payload'), '/payload') : []),
});

/** A name that varied from person to person would be another structure for each. */
function liquidNames(value: unknown, pointer: string): ContentFinding[] {
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => liquidNames(each, pointerTo(pointer, index)));
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const place = pointerTo(pointer, name);
    const message = 'Variables stand only in values, not in the names of members; write the name out.';
    const found = hasLiquid(name) ? [errorAt(place, 'variable-in-name', message)] : [];
    return [...found, ...liquidNames(member, place)];
  });
}
