/** What the eight content types check. */
import { describe, expect, it, test } from 'vitest';
import { checkContent } from '../../src/content/check.ts';
import { measureSms } from '../../src/content/sms-text.ts';
import { textsOf } from '../../src/content/texts.ts';
import { CONTENT_TYPES } from '../../src/content/types/catalog.ts';
import {
  CHANNEL_TYPES,
  type ChannelType,
  type Content,
  type ContentStage,
} from '../../src/content/types/contract.ts';

const found = (type: ChannelType, content: Content, stage: ContentStage = 'saved') =>
  checkContent(type, content, stage).map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`);

test('each type is known by its own name', () => {
  expect(Object.entries(CONTENT_TYPES).map(([name, type]) => [name, type.name])).toEqual(
    CHANNEL_TYPES.map((name) => [name, name]),
  );
});

const SOUND: readonly (readonly [ChannelType, Content])[] = [
  [
    'email_html',
    { subject: 'a', html: '<p>b</p>', text: 'b', preheader: 'c', fromName: 'd', replyTo: 'e@f.gh' },
  ],
  [
    'push_notification',
    {
      title: 'a',
      body: 'b',
      imageUrl: 'https://a.bc/d.png',
      deepLink: 'shop://sale',
      actions: [{ action: 'x', title: 'y', url: 'https://a.bc' }],
    },
  ],
  [
    'in_app_modal',
    {
      title: 'a',
      body: 'b',
      imageUrl: 'http://a.bc',
      buttons: [{ label: 'x', action: 'dismiss', url: 'https://a.bc' }],
    },
  ],
  [
    'banner',
    { imageUrl: 'https://a.bc', headline: 'a', altText: 'b', linkUrl: 'https://a.bc?x={{ customer.id }}' },
  ],
  ['content_card', { title: 'a', body: 'b', imageUrl: '{{ offer.image }}', url: 'https://a.bc', cta: 'c' }],
  [
    'whatsapp_template',
    {
      templateName: 'a',
      language: 'en_US',
      category: 'MARKETING',
      components: [{ type: 'BODY', text: 'Hi {{1}}, {{2}}' }],
      variables: { 1: '{{ customer.name }}', 2: 'x' },
    },
  ],
  ['whatsapp_template', { templateName: 'a', language: 'en', variables: ['x', 'y'] }],
  ['webhook_json', { payload: { a: [1, null, { b: '{{ customer.name }}' }] } }],
];
test.each(SOUND)('a sound %s has nothing to be said about', (type, content) => {
  expect(found(type, content)).toEqual([]);
});

const WRONG: readonly (readonly [string, ChannelType, Content, readonly string[]])[] = [
  ['no html', 'email_html', { subject: 'a', text: 'b' }, ['error shape /html']],
  ['a blank subject', 'email_html', { subject: ' ', html: 'a', text: 'b' }, ['error blank /subject']],
  [
    'a header in the subject',
    'email_html',
    { subject: 'a\nBcc: x@y.z', html: 'a', text: 'b' },
    ['error line-break /subject'],
  ],
  ['no text', 'email_html', { subject: 'a', html: 'b' }, ['warning text-missing /text']],
  [
    'no address',
    'email_html',
    { subject: 'a', html: 'b', text: 'c', replyTo: 'me' },
    ['error email-address /replyTo'],
  ],
  [
    'Liquid that is not closed',
    'email_html',
    { subject: '{% if x %}', html: 'b', text: 'c' },
    ['error liquid /subject'],
  ],
  ['a long title', 'push_notification', { title: 'x'.repeat(66), body: 'b' }, ['error too-long /title']],
  ['a long body', 'push_notification', { title: 'a', body: 'x'.repeat(241) }, ['error too-long /body']],
  [
    'code for a link',
    'push_notification',
    { title: 'a', body: 'b', deepLink: 'JavaScript:alert(1)' },
    ['error url /deepLink'],
  ],
  ['no button', 'in_app_modal', { title: 'a', buttons: [] }, ['error buttons-missing /buttons']],
  ['no buttons', 'in_app_modal', { title: 'a' }, ['error shape /buttons']],
  [
    'a button without label',
    'in_app_modal',
    { buttons: [{ action: 'x' }] },
    ['error shape /buttons/0/label'],
  ],
  [
    'a button that leads into an app',
    'in_app_modal',
    { buttons: [{ label: 'x', url: 'shop://sale' }] },
    ['error url /buttons/0/url'],
  ],
  [
    'a url that is a deep link',
    'push_notification',
    { title: 'a', body: 'b', actions: [{ deepLink: 'shop://sale', url: 'shop://sale' }] },
    ['error url /actions/0/url'],
  ],
  ['no altText', 'banner', { imageUrl: 'https://a.bc' }, ['error shape /altText']],
  ['a file', 'banner', { imageUrl: 'file:///etc/passwd', altText: 'a' }, ['error url /imageUrl']],
  ['an address without a host', 'banner', { imageUrl: 'https://', altText: 'a' }, ['error url /imageUrl']],
  [
    'Liquid behind code',
    'banner',
    { imageUrl: 'javascript:{{ a.b }}', altText: 'a' },
    ['error url /imageUrl'],
  ],
  ['a space in an address', 'content_card', { title: 'a', url: 'https://a.bc/d e' }, ['error url /url']],
  ['no title', 'content_card', { body: 'a' }, ['error shape /title']],
  ['no language', 'whatsapp_template', { templateName: 'a' }, ['error shape /language']],
  [
    'a hole',
    'whatsapp_template',
    {
      templateName: 'a',
      language: 'b',
      components: [{ text: '{{1}} {{3}}' }],
      variables: { 1: 'x', 3: 'z' },
    },
    ['error placeholder-hole /components'],
  ],
  [
    'a hole in the values',
    'whatsapp_template',
    { templateName: 'a', language: 'b', variables: { 1: 'x', 3: 'z' } },
    ['error placeholder-hole /variables'],
  ],
  [
    'a variable where WhatsApp has numbers',
    'whatsapp_template',
    {
      templateName: 'a',
      language: 'b',
      components: [{ text: 'Hi {{ customer.name }}, {{1}}' }],
      variables: ['x'],
    },
    ['error placeholder-name /components/0/text'],
  ],
  [
    'the number nought',
    'whatsapp_template',
    { templateName: 'a', language: 'b', components: [{ text: '{{0}}' }] },
    ['error placeholder-name /components/0/text'],
  ],
  [
    'what is not mapped',
    'whatsapp_template',
    { templateName: 'a', language: 'b', components: [{ text: '{{1}} {{2}}' }], variables: ['x'] },
    ['error placeholder-unmapped /variables/2'],
  ],
  [
    'what is mapped in vain',
    'whatsapp_template',
    { templateName: 'a', language: 'b', components: [{ text: '{{1}}' }], variables: ['x', 'y'] },
    ['warning placeholder-unused /variables/2'],
  ],
  ['a list', 'webhook_json', { payload: [] }, ['error shape /payload']],
  [
    'a variable name',
    'webhook_json',
    { payload: { a: [{ '{{ customer.id }}': 1 }] } },
    ['error variable-in-name /payload/a/0/{{ customer.id }}'],
  ],
  ['another key', 'content_card', { title: 'a', html: 'b' }, ['error shape /html']],
];
test.each(WRONG)('%s in %s', (_what, type, content, expected) => {
  expect(found(type, content)).toEqual(expected);
});

describe('lengths', () => {
  it('count what people see, and wait for the rendered text where Liquid is in it', () => {
    expect(found('push_notification', { title: '🎉'.repeat(65), body: 'b' })).toEqual([]);
    const long = { title: `{{ customer.name }}${'x'.repeat(60)}`, body: 'b' };
    expect(found('push_notification', long)).toEqual([]);
    const longer = (title: string) => found('push_notification', { title, body: 'b' });
    expect(longer(`{{ customer.name }}${'x'.repeat(66)}`)).toEqual(['error too-long /title']);
    expect(longer(`${' '.repeat(9)}{{- customer.name -}}${' '.repeat(9)}${'x'.repeat(60)}`)).toEqual([]);
    expect(longer(`{% if customer.vip %}${'x'.repeat(66)}{% endif %}`)).toEqual([]);
    expect(found('push_notification', { title: `Somebody${'x'.repeat(60)}`, body: 'b' }, 'rendered')).toEqual(
      ['error too-long /title'],
    );
    expect(found('banner', { imageUrl: 'javascript:1', altText: 'a' }, 'rendered')).toEqual([
      'error url /imageUrl',
    ]);
  });
});

describe('the size of an SMS', () => {
  it.each([
    ['', 'GSM-7', 0, 1, undefined],
    ['a'.repeat(160), 'GSM-7', 160, 1, undefined],
    ['a'.repeat(161), 'GSM-7', 161, 2, undefined],
    ['a'.repeat(306), 'GSM-7', 306, 2, undefined],
    ['a'.repeat(307), 'GSM-7', 307, 3, undefined],
    ['€'.repeat(80), 'GSM-7', 160, 1, undefined],
    ['€'.repeat(81), 'GSM-7', 162, 2, undefined],
    // No extension character is cut in two: 152 and then the rest.
    ['€'.repeat(153), 'GSM-7', 306, 3, undefined],
    [`${'a'.repeat(69)}я`, 'UCS-2', 70, 1, 'я'],
    [`${'a'.repeat(70)}”`, 'UCS-2', 71, 2, '”'],
    [`${'a'.repeat(134)}я`, 'UCS-2', 135, 3, 'я'],
    ['🎉'.repeat(35), 'UCS-2', 70, 1, '🎉'],
  ])('%s', (text, encoding, characters, segments, forcedBy) => {
    expect(measureSms(text)).toEqual({ encoding, characters, segments, ...(forcedBy && { forcedBy }) });
  });

  it('is said with the check, and what made it dearer', () => {
    const [plain] = checkContent('sms_text', { body: 'a'.repeat(161) }, 'saved');
    expect(plain).toMatchObject({
      severity: 'info',
      facts: { encoding: 'GSM-7', characters: 161, segments: 2, forcedBy: null },
    });
    const [dear] = checkContent('sms_text', { body: 'Only today: 5 “stars”' }, 'saved');
    expect(dear).toMatchObject({ severity: 'warning', pointer: '/body', facts: { encoding: 'UCS-2' } });
    expect(dear?.message).toContain('"“" (U+201C)');
    expect(found('sms_text', { body: 'a'.repeat(255 * 153 + 1) })).toEqual(['error sms-too-long /body']);
  });
});

test('texts are personalized where people read them, and nowhere else', () => {
  const pointers = (type: ChannelType, content: Content) =>
    textsOf(type, content).map(({ pointer, html }) => `${pointer}${html ? ' html' : ''}`);
  expect(pointers('email_html', { subject: 'a', html: 'b' })).toEqual(['/subject', '/html html']);
  expect(
    pointers('whatsapp_template', {
      templateName: 'a',
      language: 'b',
      components: [{ text: '{{1}}' }],
      variables: ['c'],
    }),
  ).toEqual(['/variables/0']);
  expect(pointers('in_app_modal', { buttons: [{ label: 'a', action: 'b', url: 'c' }] })).toEqual([
    '/buttons/0/label',
    '/buttons/0/url',
  ]);
  expect(pointers('webhook_json', { payload: { 'a/b': ['c', 1] } })).toEqual(['/payload/a~1b/0']);
});
