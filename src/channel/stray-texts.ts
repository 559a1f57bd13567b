/** Text that stays as it is written although it looks as if its author meant a template: by a dollar, or by Liquid. */
import { CONTENT_NAMES } from '../expression/liquid.ts';
import { isKeyword, KEYWORDS } from '../expression/scope.ts';
import { isObject, pointerTo } from '../json.ts';
import { didYouMean, nearName } from '../near.ts';
import type { ExpressionProblem } from './expression-problem.ts';

const NAMED = /(?<!\\)\$#?(?<brace>\{)?(?<name>[A-Za-z_]{3,20})(?=[.%}?])/g;

/** Names for a person that content and other products have, and what has the person's values here. */
const PERSON: ReadonlySet<string> = new Set(['customer', 'recipient', 'contact', 'user', 'subscriber']);
const LIQUID = /\{\{-?\s*(?<name>[a-z]+)(?<path>(?:\.\w+)*)[^{}]*\}\}/g;

/** Finds misspelt keywords, Liquid, and item references outside a repeated member, in all strings of a value. */
export function strayTexts(value: unknown, pointer: string, inItem = false): ExpressionProblem[] {
  if (typeof value === 'string') {
    return [
      ...misspelt(value, pointer),
      ...strayLiquid(value, pointer),
      ...(inItem ? [] : strayItem(value, pointer)),
    ];
  }
  if (Array.isArray(value)) {
    return value.flatMap((each: unknown, index) => strayTexts(each, pointerTo(pointer, index), inItem));
  }
  if (!isObject(value)) return [];
  const names = Object.keys(value);
  // The text of a JSONata expression has variables of its own.
  if (names.length === 1 && names[0] === '$') return [];
  return names.flatMap((name) =>
    strayTexts(value[name], pointerTo(pointer, name), inItem || name.startsWith('$$')),
  );
}

function misspelt(text: string, pointer: string): ExpressionProblem[] {
  return [...text.matchAll(NAMED)].flatMap(({ groups }) => {
    const name = groups?.name ?? '';
    const near = PERSON.has(name) ? 'profile' : isKeyword(name) ? undefined : nearName(name, KEYWORDS);
    if (near === undefined) return [];
    const message = `$${name} is not a keyword, so it stays as it is written.${didYouMean(near)} A dollar that is meant is written \\$.`;
    return [{ code: 'keyword-misspelt' as const, pointer, message, suggestion: near }];
  });
}

/** Other names than those of content are left alone: they may be the provider's own, filled in over there. */
function strayLiquid(text: string, pointer: string): ExpressionProblem[] {
  return [...text.matchAll(LIQUID)].flatMap(({ 0: found, groups }) => {
    const { name = '', path = '' } = groups ?? {};
    if (!CONTENT_NAMES.includes(name)) return [];
    const keyword = PERSON.has(name) ? 'profile' : name;
    const meant = isKeyword(keyword) ? { suggestion: `$${keyword}${path}` } : undefined;
    const advice = `${meant === undefined ? '' : `write ${meant.suggestion}, or `}put it into a template field and read that one here.`;
    const message = `${found} is Liquid, which only the values of template fields may have, so it goes out as it is written: ${advice}`;
    return [{ code: 'liquid-in-pipe' as const, pointer, message, ...meant }];
  });
}

function strayItem(text: string, pointer: string): ExpressionProblem[] {
  const found = /\[\$#?\]/.exec(text)?.[0];
  if (found === undefined) return [];
  const message = `${found} is the item of a repeated member, but no member around it starts with "$$", so it stays as it is written.`;
  return [{ code: 'item-outside-repeat', pointer, message }];
}
