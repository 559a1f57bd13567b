/** What answers say about rest, in the forms that providers use. */
import { describe, expect, it } from 'vitest';
import { LONGEST_REST_MS, restMs } from '../../../src/flows/lanes/rest-headers.ts';

const NOW_MS = Date.UTC(2026, 5, 1, 12);
const NOW_SECONDS = NOW_MS / 1_000;

type Case = readonly [text: string, status: number, headers: Record<string, string>, ms: number];

const CASES: readonly Case[] = [
  ['a usual answer', 200, { 'content-type': 'application/json' }, 0],
  ['a failure that says nothing', 500, { 'retry-after': '9' }, 0],
  // RFC 9110
  ['429 with seconds', 429, { 'retry-after': '7' }, 7_000],
  ['429 with a date', 429, { 'retry-after': 'Mon, 01 Jun 2026 12:00:30 GMT' }, 30_000],
  ['429 with a date that is over', 429, { 'retry-after': 'Mon, 01 Jun 2026 11:00:00 GMT' }, 0],
  ['429 that says nothing', 429, {}, 1_000],
  ['429 that says what nobody understands', 429, { 'retry-after': 'soon' }, 1_000],
  ['429 with a day', 429, { 'retry-after': '86400' }, LONGEST_REST_MS],
  ['503 with seconds', 503, { 'retry-after': '12' }, 12_000],
  ['503 that says nothing', 503, {}, 0],
  ['429 with the older fields only', 429, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '4' }, 4_000],
  // Three fields, as the first drafts have them.
  ['something left', 200, { 'ratelimit-remaining': '1', 'ratelimit-reset': '30' }, 0],
  ['nothing left', 200, { 'ratelimit-remaining': '0', 'ratelimit-reset': '30' }, 30_000],
  ['nothing left, but not until when', 200, { 'ratelimit-remaining': '0' }, 0],
  // One field, as draft 7 has it.
  ['draft 7', 200, { ratelimit: 'limit=100, remaining=0, reset=50' }, 50_000],
  ['draft 7 with something left', 200, { ratelimit: 'limit=100, remaining=3, reset=50' }, 0],
  // Structured fields, as the later drafts have them.
  ['the later drafts', 200, { ratelimit: '"default";r=0;t=30' }, 30_000],
  ['the later drafts with something left', 200, { ratelimit: '"default";r=50;t=30' }, 0],
  ['several policies', 200, { ratelimit: '"burst";r=0;t=2, "hour";r=0;t=60, "day";r=9;t=3600' }, 60_000],
  [
    'a policy instead of a time',
    200,
    { ratelimit: '"hour";r=0', 'ratelimit-policy': '"burst";q=9;w=1,"hour";q=100;w=20' },
    20_000,
  ],
  ['no policy and no time', 200, { ratelimit: '"hour";r=0' }, 0],
  // As GitHub, GitLab, Okta, X, Discord, Mailgun, SendGrid, Reddit and others have it.
  [
    'seconds since 1970',
    200,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_SECONDS + 20) },
    20_000,
  ],
  [
    'milliseconds since 1970',
    200,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_MS + 1_500) },
    1_500,
  ],
  [
    'a time in words',
    200,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2026-06-01T12:00:05Z' },
    5_000,
  ],
  ['seconds', 200, { 'x-ratelimit-remaining': '0.0', 'x-ratelimit-reset': '90.5' }, 90_500],
  [
    'with hyphens',
    200,
    { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': String(NOW_SECONDS + 3) },
    3_000,
  ],
  [
    'a time and the seconds until then',
    200,
    {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(NOW_SECONDS + 900),
      'x-ratelimit-reset-after': '0.65',
    },
    650,
  ],
  [
    'a provider whose clock is an hour ahead',
    200,
    {
      date: 'Mon, 01 Jun 2026 13:00:00 GMT',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(NOW_SECONDS + 3_610),
    },
    10_000,
  ],
  [
    'a reset that is over',
    200,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_SECONDS - 5) },
    0,
  ],
  ['a reset in an hour', 200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' }, LONGEST_REST_MS],
  ['what is no number', 200, { 'x-ratelimit-remaining': 'many', 'x-ratelimit-reset': 'later' }, 0],
  ['a reset that is no time', 200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'later' }, 0],
];

describe('the rest an answer asks for', () => {
  it.each(CASES)('%s', (_text, status, headers, ms) => {
    expect(restMs(status, headers, NOW_MS)).toBe(ms);
  });
});
