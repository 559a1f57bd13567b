/** Checks an item's content by its type: at save, again at publish, and when it is rendered. */
import { Failure } from '../errors.ts';
import { compileLiquid } from '../expression/liquid.ts';
import { compileSchema, type Validator } from '../validate.ts';
import { textsOf } from './texts.ts';
import { CONTENT_TYPES } from './types/catalog.ts';
import type { ChannelType, Content, ContentFinding, ContentStage } from './types/contract.ts';
import { errorAt } from './types/rules.ts';

/** Compiled when first needed, because compiling takes milliseconds. */
const validators = new Map<ChannelType, Validator>();

function validatorOf(channelType: ChannelType): Validator {
  const known = validators.get(channelType) ?? compileSchema(CONTENT_TYPES[channelType].schema);
  validators.set(channelType, known);
  return known;
}

/** Everything there is to say about content, errors first. Pointers lead into `content`. */
export function checkContent(
  channelType: ChannelType,
  content: Content,
  stage: ContentStage,
): readonly ContentFinding[] {
  const problems = validatorOf(channelType).check(content);
  if (problems.length > 0) return problems.map(({ pointer, message }) => errorAt(pointer, 'shape', message));
  const findings = [
    ...(stage === 'saved' ? wrongLiquid(channelType, content) : []),
    ...CONTENT_TYPES[channelType].check(content, stage),
  ];
  return findings.toSorted((left, right) => ORDER[left.severity] - ORDER[right.severity]);
}

const ORDER = { error: 0, warning: 1, info: 2 } as const;

/** Liquid that cannot work is found when it is written, not when it is sent. */
function wrongLiquid(channelType: ChannelType, content: Content): ContentFinding[] {
  return textsOf(channelType, content).flatMap(({ pointer, text, html }) => {
    try {
      compileLiquid(text, { html });
      return [];
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      return [errorAt(pointer, 'liquid', thrown.message)];
    }
  });
}
