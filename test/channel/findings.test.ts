import { describe, expect, it } from 'vitest';
import { FINDING_CODES } from '../../src/channel/rules/codes.ts';
import { check, checkText, direct } from './documents.ts';
import { MEMBERS, TEXTS } from './examples/document-examples.ts';
import { EXPRESSIONS } from './examples/expression-examples.ts';
import { FIELDS } from './examples/field-examples.ts';
import { IDENTITY } from './examples/identity-examples.ts';
import { EVENTS, PIPES } from './examples/pipe-examples.ts';
import { REST } from './examples/rest-examples.ts';

const EXAMPLES = [...TEXTS, ...MEMBERS, ...IDENTITY, ...FIELDS, ...PIPES, ...EXPRESSIONS, ...EVENTS, ...REST];

/** Codes that are about folders; test/channel/load.test.ts has their examples. */
const OF_FOLDERS = ['folder-unreadable', 'channel-file-missing', 'file-unreadable', 'pipeline-file-unused'];

describe('findings', () => {
  it.each(EXAMPLES)('$code: $name', ({ code, document, says, pointer, suggestion, file, options }) => {
    const { findings, document: result } =
      typeof document === 'string' ? checkText(document, options) : check(document, options);
    const found = findings.find((finding) => finding.code === code && finding.message.includes(says));
    expect(findings.length > 0 && found === undefined ? findings : found).toMatchObject({
      code,
      severity: FINDING_CODES[code].severity,
      file: file ?? 'channel.json',
      message: expect.stringMatching(/^\S.*[.?]$/s),
      ...(pointer !== undefined && { pointer }),
      ...(suggestion !== undefined && { suggestion }),
    });
    expect(result === undefined).toBe(findings.some((finding) => finding.severity === 'error'));
  });

  it('has an example for every code', () => {
    const shown = new Set<string>([...EXAMPLES.map((example) => example.code), ...OF_FOLDERS]);
    expect(Object.keys(FINDING_CODES).filter((code) => !shown.has(code))).toEqual([]);
  });

  it('says what every code means in one sentence', () => {
    for (const { meaning } of Object.values(FINDING_CODES)) expect(meaning).toMatch(/^[A-Z"].*\.$/);
  });

  it.each(EXAMPLES)('$code: $name is one mistake and one finding', ({ document, options }) => {
    const { findings } =
      typeof document === 'string' ? checkText(document, options) : check(document, options);
    expect(findings.map((finding) => `${finding.pointer} ${finding.message}`)).toHaveLength(1);
  });

  it('stands at the line and column of the very string', () => {
    const text = JSON.stringify(direct(), null, 2).replace('$template.text', '$template.txt');
    const [finding] = checkText(text).findings;
    const lines = text.split('\n');
    expect(lines[(finding?.line ?? 0) - 1]?.slice((finding?.column ?? 0) - 1)).toMatch(/^"\$template\.txt"/);
  });

  it('stands at the key where the name of a member is wrong', () => {
    const text = JSON.stringify({ ...direct(), eventz: [] }, null, 2);
    const [finding] = checkText(text).findings;
    expect(text.split('\n')[(finding?.line ?? 0) - 1]?.slice((finding?.column ?? 0) - 1)).toBe(
      '"eventz": []',
    );
  });
});
