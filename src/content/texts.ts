/** The texts in an item's content that may hold variables, wherever they stand. */
import { isObject, pointerTo } from '../json.ts';
import { CONTENT_TYPES } from './types/catalog.ts';
import type { ChannelType, Content } from './types/contract.ts';

export interface ContentText {
  readonly path: readonly string[];
  /** RFC 6901, into `content`. */
  readonly pointer: string;
  readonly text: string;
  /** Values that are put into it are escaped. */
  readonly html: boolean;
}

/** The personalizable texts, in the order in which they stand. */
export function textsOf(channelType: ChannelType, content: Content): readonly ContentText[] {
  const { personalizable } = CONTENT_TYPES[channelType];
  const found: ContentText[] = [];
  const visit = (value: unknown, path: readonly string[], pointer: string): void => {
    if (typeof value === 'string') {
      const kind = personalizable(path);
      if (kind !== undefined) found.push({ path, pointer, text: value, html: kind === 'html' });
    } else if (Array.isArray(value) || isObject(value)) {
      for (const [key, member] of Object.entries(value))
        visit(member, [...path, key], pointerTo(pointer, key));
    }
  };
  visit(content, [], '');
  return found;
}
