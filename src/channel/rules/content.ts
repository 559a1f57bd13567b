/** Rules: the mapping of content types names what exists (content and modes, sections 1.1 and 2). */
import { isObject, pointerTo } from '../../json.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import type { Rule } from './context.ts';

/** What each content type holds. */
export const CONTENT_KEYS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  email_html: ['subject', 'html', 'text', 'preheader', 'fromName', 'replyTo'],
  push_notification: ['title', 'body', 'imageUrl', 'deepLink', 'actions'],
  sms_text: ['body'],
  in_app_modal: ['title', 'body', 'imageUrl', 'buttons'],
  banner: ['imageUrl', 'headline', 'altText', 'linkUrl'],
  content_card: ['title', 'body', 'imageUrl', 'url', 'cta'],
  whatsapp_template: ['templateName', 'language', 'category', 'components', 'variables'],
  webhook_json: ['payload'],
});

export const checkContent: Rule = (draft, report) => {
  const { content } = draft.document;
  if (!isObject(content)) return;
  const form = draft.forms.find((each) => each.group === 'template');
  const fields = form?.fields.map(({ field }) => field.field) ?? [];
  const complain = (
    pointer: string,
    of: 'key' | 'value',
    message: string,
    name: string,
    known: readonly string[],
  ) => {
    const near = nearName(name, known);
    const hint = didYouMean(near) || ` There are: ${listed(known)}.`;
    report.add('content-unknown', { source: draft.source, pointer, of }, message + hint, near);
  };
  for (const [type, mapping] of Object.entries(content)) {
    const pointer = pointerTo('/content', type);
    const keys = Object.hasOwn(CONTENT_KEYS, type) ? CONTENT_KEYS[type] : undefined;
    if (keys === undefined) {
      complain(pointer, 'key', `There is no content type "${type}".`, type, Object.keys(CONTENT_KEYS));
      continue;
    }
    for (const [field, key] of Object.entries(mapping)) {
      const at = pointerTo(pointer, field);
      if (form?.whole !== false && !fields.includes(field)) {
        complain(at, 'key', `The channel has no template field "${field}".`, field, fields);
      }
      const [first = ''] = key.split('.');
      if (!keys.includes(first))
        complain(at, 'value', `Content of type "${type}" has no "${key}".`, key, keys);
    }
  }
};
