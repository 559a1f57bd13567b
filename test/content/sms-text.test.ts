/** Alphabets and parts of SMS, at the borders where a text becomes one more. */
import { expect, test } from 'vitest';
import { encodeSms } from '../../src/content/sms-text.ts';

const sizes = (text: string) => encodeSms(text, 7).parts.map((part) => part.byteLength);

test.each([
  ['160 characters of GSM-7', 'a'.repeat(160), 0, [160]],
  ['one more', 'a'.repeat(161), 0, [6 + 153, 6 + 8]],
  ['two full parts', 'a'.repeat(306), 0, [6 + 153, 6 + 153]],
  ['80 characters of the extension, which count two', '€'.repeat(80), 0, [160]],
  ['one more of them', '€'.repeat(81), 0, [6 + 152, 6 + 10]],
  ['70 characters of UCS-2', 'я'.repeat(70), 8, [140]],
  ['one more of them', 'я'.repeat(71), 8, [6 + 134, 6 + 8]],
  ['35 emoji', '🎉'.repeat(35), 8, [140]],
  ['36 emoji, none of them cut', '🎉'.repeat(36), 8, [6 + 132, 6 + 12]],
])('%s', (_name, text, coding, expected) => {
  expect(encodeSms(text, 7).coding).toBe(coding);
  expect(sizes(text)).toEqual(expected);
});

test('codes are those of the alphabet', () => {
  const { coding, parts } = encodeSms('@Δ_ÄÜ§à{€}\n', 0);
  expect(coding).toBe(0);
  expect(parts[0]?.toString('hex')).toBe('0010115b5e5f7f1b281b651b290a');
});

test('a backtick is not in GSM-7, and ESC is no character', () => {
  expect(encodeSms('`', 0).coding).toBe(8);
  expect(encodeSms('\u001b', 0).coding).toBe(8);
});

test('the parts say how many they are, in their order', () => {
  const { parts } = encodeSms('a'.repeat(400), 300);
  expect(parts.map((part) => part.subarray(0, 6).toString('hex'))).toEqual([
    '0500032c0301',
    '0500032c0302',
    '0500032c0303',
  ]);
});

test('an empty text is one empty part', () => {
  expect(sizes('')).toEqual([0]);
});
