/** The rules of a channel document, in the order in which they are applied. */
import { checkBodies } from './carried.ts';
import { checkContent } from './content.ts';
import type { Rule } from './context.ts';
import { checkEvents } from './events.ts';
import { checkFields } from './fields.ts';
import { checkIdentity } from './identity.ts';
import { checkLiquidDefaults } from './liquid-defaults.ts';
import { checkListener } from './listener.ts';
import { checkOperations } from './operations.ts';
import { checkPipelines } from './pipelines.ts';
import { checkReferences } from './references.ts';
import { checkSuppression } from './suppression.ts';
import { checkWays } from './ways.ts';

export const RULES: readonly Rule[] = Object.freeze([
  checkIdentity,
  checkFields,
  checkLiquidDefaults,
  checkContent,
  checkPipelines,
  checkWays,
  checkReferences,
  checkBodies,
  checkEvents,
  checkSuppression,
  checkOperations,
  checkListener,
]);
