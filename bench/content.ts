/**
 * `npm run bench:content`: how long one process takes to render a published email with 15 placeholders for one person,
 * without a database. Each rendering is for another person; one in four has values missing, which get their fallbacks.
 *
 * Options: --renders N (200000), --runs N (5)
 */
import { parseArgs } from 'node:util';
import { email } from '../src/channel/built-in/email.ts';
import { checkChannel } from '../src/channel/check.ts';
import { compileItemFor } from '../src/flows/directory/render-item.ts';

const { values: options } = parseArgs({
  options: {
    renders: { type: 'string', default: '200000' },
    runs: { type: 'string', default: '5' },
  },
});
const renders = Number(options.renders);

const FIELDS = ['first_name', 'last_name', 'city', 'tier', 'points', 'store', 'advisor', 'language'];
const OFFERS = ['name', 'price', 'code', 'until', 'url', 'picture'];
const variables = [
  ...FIELDS.map((name) => `customer.${name}`),
  ...OFFERS.map((name) => `offer.${name}`),
  'attributes.order',
];

function item() {
  const [subject, ...rest] = variables;
  const paragraph = 'It is good to have you with us, and there is news that you should not miss. '.repeat(8);
  const html = rest.map((name) => `<p class="line">${paragraph}<b>{{ ${name} }}</b></p>`).join('\n');
  return {
    channelType: 'email_html' as const,
    content: {
      subject: `News for {{ ${subject} }}`,
      html: `<!doctype html><html><body>${html}</body></html>`,
    },
    personalization: variables.map((variable) => ({ variable, fallback: 'something' })),
  };
}

/** People whose values differ, so that no text is made twice. */
function scopes(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const isMissing = index % 4 === 0;
    const member = (name: string, at: number) => [
      name,
      isMissing && at % 3 === 0 ? '' : `${name} <${index}> & more`,
    ];
    return {
      profile: Object.fromEntries(FIELDS.map(member)),
      offer: Object.fromEntries(OFFERS.map(member)),
      attributes: { order: index },
      now: '2026-01-01T00:00:00.000Z',
    };
  });
}

function main(): void {
  const text = JSON.stringify(email);
  const { document } = checkChannel({ file: 'email', text, kind: 'built_in', pipelines: () => undefined });
  if (document === undefined) throw new Error('the channel Email is not sound');
  const compiled = compileItemFor(document, item());
  const people = scopes(1_000);
  const first = compiled.render(people[1] as never);
  if (first instanceof Promise) throw new Error('an item without formulas is not rendered at once');
  if (first.problems.length > 0 || JSON.stringify(first.values).includes('{{')) {
    throw new Error('the email was not rendered');
  }
  console.log(
    `an email of ${String(first.values.html).length} characters with ${variables.length} placeholders, ${renders} renders, ${options.runs} runs`,
  );
  const runs: number[] = [];
  for (let run = 0; run < Number(options.runs); run += 1) {
    let characters = 0;
    const startMs = performance.now();
    for (let index = 0; index < renders; index += 1) {
      const rendered = compiled.render(people[index % people.length] as never);
      if (rendered instanceof Promise) throw new Error('rendered later');
      characters += String(rendered.values.html).length;
    }
    const micros = ((performance.now() - startMs) * 1_000) / renders;
    if (characters < renders * 1_000) throw new Error(`only ${characters} characters were rendered`);
    runs.push(micros);
    console.log(
      `run ${run + 1}: ${micros.toFixed(2)} µs per render · ${Math.round(1_000_000 / micros)} renders/s`,
    );
  }
  const median = runs.toSorted((a, b) => a - b)[Math.floor(runs.length / 2)] ?? 0;
  console.log(`median: ${median.toFixed(2)} µs per render · ${Math.round(1_000_000 / median)} renders/s`);
}

main();
