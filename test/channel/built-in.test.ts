/** The built-in channels are documents like all others, and only they have a code module. */
import { expect, test } from 'vitest';
import { BUILT_INS } from '../../src/channel/built-in/built-ins.ts';
import { checkAll, checkChannel } from '../../src/channel/check.ts';
import { CONTENT_KEYS } from '../../src/channel/rules/content.ts';
import { CONTENT_TYPES } from '../../src/content/types/catalog.ts';
import type { ChannelType } from '../../src/content/types/contract.ts';
import { compileChannel } from '../../src/engine/compile-channel.ts';
import { own } from '../../src/json.ts';
import { planPipeOf } from '../../src/pipes/catalog.ts';
import { dryRun } from '../../src/testing/dry-run.ts';

const keysOf = (schema: object) => Object.keys(own(schema, 'properties') as object);
const checked = checkAll(BUILT_INS);

test('all of them pass the check without a warning', () => {
  expect(checked.flatMap(({ findings }) => findings)).toEqual([]);
  expect(checked.map(({ document }) => [document?.sid, document?.id, document?.module])).toEqual([
    ['email', 1, 'smtp'],
    ['sms', 2, 'smpp'],
    ['push', 3, 'push'],
  ]);
});

test('each sends all that the content of its types can hold', () => {
  const lost = checked.flatMap(({ document }) =>
    Object.entries(document?.content ?? {}).flatMap(([type, mapping]) =>
      keysOf(CONTENT_TYPES[type as ChannelType].schema)
        .filter((key) => !Object.values(mapping).includes(key))
        .map((key) => `${document?.sid}: ${type}.${key}`),
    ),
  );
  expect(lost).toEqual([]);
});

test('the checker of channels knows the keys that the types have', () => {
  const keys = Object.entries(CONTENT_TYPES).map(([name, { schema }]) => [name, keysOf(schema).sort()]);
  const known = Object.entries(CONTENT_KEYS).map(([name, each]) => [name, [...each].sort()]);
  expect(known).toEqual(keys);
});

test('each has its plan, in which a lost run is never repeated unasked', () => {
  for (const { document } of checked) {
    if (document === undefined) throw new Error('not sound');
    const { plans } = compileChannel(document, planPipeOf);
    expect(plans.message?.entry).toMatchObject({ type: 'module', unsafe: true });
  }
});

test('a dry run shows what the module would be given, without the sender', async () => {
  const email = checked[0]?.document;
  if (email === undefined) throw new Error('not sound');
  const { trace } = await dryRun(email, {
    message: {
      profile: { name: 'Ann' },
      subscription: { email: 'ann@example.org' },
      template: { subject: 'Hi {{ customer.name }}', html: '<p>x</p>' },
      sender: { host: 'smtp.example.com', password: 'very-secret' },
    },
  });
  expect(trace).toMatchObject([
    {
      type: 'module',
      exit: 'success',
      request: {
        module: 'smtp',
        subscription: { email: 'ann@example.org' },
        template: { subject: 'Hi Ann' },
      },
    },
  ]);
  expect(JSON.stringify(trace)).not.toContain('very-secret');
});

test('no other channel can name a module, as a member or as a pipe', () => {
  const [email] = BUILT_INS;
  if (email === undefined) throw new Error('there is none');
  const written = JSON.parse(email.text);
  const asCustom = checkChannel({
    ...email,
    kind: 'custom',
    text: JSON.stringify({ ...written, id: 10_001 }),
  });
  expect(asCustom.findings.map(({ code }) => code)).toContain('module-or-pipelines');
  const { module: _module, ...rest } = written;
  const pipelines = { message: [{ id: 1, type: 'module', params: { module: 'smtp' } }] };
  const text = JSON.stringify({ ...rest, id: 10_001, pipelines });
  const asPipe = checkChannel({ ...email, kind: 'custom', text });
  expect(asPipe.findings.map(({ code }) => code)).toContain('pipe-type-unknown');
});
