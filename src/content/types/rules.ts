/** Rules that several content types share. */
import { own } from '../../json.ts';
import type { Content, ContentFinding, ContentStage } from './contract.ts';

/** True for a text whose final form is not known yet. */
export function hasLiquid(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

export function errorAt(pointer: string, code: string, message: string): ContentFinding {
  return { severity: 'error', code, pointer, message };
}

/** Errors for the named texts that hold nothing but space. */
export function blankTexts(content: Content, names: readonly string[]): ContentFinding[] {
  return names.flatMap((name) => {
    const value = own(content, name);
    return typeof value === 'string' && value.trim() === ''
      ? [errorAt(`/${name}`, 'blank', `"${name}" is empty; write what people should see.`)]
      : [];
  });
}

/**
 * An error where a text is longer than the limit. With Liquid in it the length is known only once it is rendered; what
 * stands around its outputs is there for everyone, though.
 */
export function tooLong(
  pointer: string,
  name: string,
  value: unknown,
  most: number,
  stage: ContentStage,
): ContentFinding[] {
  if (typeof value !== 'string') return [];
  const open = stage === 'saved' && hasLiquid(value);
  if (open && value.includes('{%')) return [];
  const length = [...(open ? withoutOutputs(value) : value)].length;
  if (length <= most) return [];
  const message = `"${name}" has ${length} characters${open ? ' without its variables' : ''}, and devices show at most ${most}; shorten it.`;
  return [{ severity: 'error', code: 'too-long', pointer, message, facts: { length, most } }];
}

/** A text without its outputs; without any space where one of them takes some away. */
function withoutOutputs(text: string): string {
  const fixed = text.replaceAll(/\{\{[^{}]*\}\}/g, '');
  return text.includes('{{-') || text.includes('-}}') ? fixed.replaceAll(/\s/g, '') : fixed;
}

/** An error where an address is not http(s). One that begins with Liquid is checked once it is rendered. */
export function wrongUrl(pointer: string, value: unknown, stage: ContentStage): ContentFinding[] {
  if (typeof value !== 'string' || value === '') return [];
  const liquid = stage === 'saved' && hasLiquid(value);
  if (liquid && /^\{[{%]/.test(value)) return [];
  const right = liquid ? /^https?:\/\/[^\s/?#]/i.test(value) : isWebAddress(value);
  return right
    ? []
    : [errorAt(pointer, 'url', 'The address must begin with http:// or https:// and be complete.')];
}

/** An error where an address opens neither the web nor an app: `javascript:` and its like run code. */
export function wrongDeepLink(pointer: string, value: unknown, stage: ContentStage): ContentFinding[] {
  if (typeof value !== 'string' || value === '') return [];
  if (stage === 'saved' && /^\{[{%]/.test(value)) return [];
  const scheme = /^([a-z][a-z0-9+.-]*):(?=[^\s])/i.exec(value)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') return wrongUrl(pointer, value, stage);
  return scheme !== undefined && !RUNNING.has(scheme)
    ? []
    : [
        errorAt(
          pointer,
          'url',
          'A deep link must begin with https:// or with the scheme of an app, such as shop://.',
        ),
      ];
}

const RUNNING: ReadonlySet<string> = new Set([
  'javascript',
  'vbscript',
  'data',
  'blob',
  'file',
  'about',
  'view-source',
]);

function isWebAddress(text: string): boolean {
  if (/\s/.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\//i.test(text);
}
