/** The chapter of the admin guide about content, word for word: from an empty library to a sent mailing. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { own } from '../src/json.ts';
import { type ApiAnswer, type Corridor, openCorridor } from './support/corridor.ts';

const GUIDE = readFileSync(new URL('../docs/admin-guide.md', import.meta.url), 'utf8');

/** The code blocks of a section. */
function blocksOf(section: string, language: string): string[] {
  const start = GUIDE.indexOf(`\n## ${section}`);
  const text = GUIDE.slice(start, GUIDE.indexOf('\n## ', start + 1));
  return [...text.matchAll(new RegExp(`^\\\`{3}${language}\\n([\\s\\S]*?)^\\\`{3}`, 'gm'))].map(
    ([, block = '']) => block,
  );
}

/** The calls of a block: who asks, by which method, where, and with what. */
const CALL = /^(api|rita) +(?:-X (\w+) )?"?\$U\/api\/v1((?:<[^>]*>|[^\s"])+)"?(?: +-d '([^']*)')?/gm;

let corridor: Corridor;
beforeAll(async () => {
  corridor = await openCorridor('embedded');
});
afterAll(() => corridor.end());

it('leads to a sent mailing', async () => {
  const [channel = '', pipeline = ''] = blocksOf('A first channel', 'json');
  const [content = ''] = blocksOf('Write content', 'json');
  const document = channel.replace('"pipelines"', `${content}"pipelines"`);
  await corridor.addChannel({ ...JSON.parse(document), pipelines: { message: JSON.parse(pipeline) } });

  /** What the reader puts in the place of words in angle brackets. */
  const known = new Map<string, string>();
  const filled = (text: string) =>
    text
      .replace('http://127.0.0.1:<port>', corridor.provider.url)
      .replaceAll(/<[^<>]+>/g, (place) => known.get(place) ?? `no ${place} yet`);
  const learn = (path: string, answer: ApiAnswer['body']) => {
    if (path === '/users') known.set('<id of Rita>', answer.id);
    if (path === '/tokens') known.set('<the token of Rita>', answer.token);
    if (path === '/content') known.set('<id>', answer.id).set('<id of the item>', answer.id);
    if (path === '/mailings') known.set('<id of the mailing>', answer.id);
  };
  const walk = async (block: string) => {
    const answers: ApiAnswer['body'][] = [];
    for (const [, who, method, path = '', data] of block.matchAll(CALL)) {
      const headers = who === 'rita' ? { authorization: `Bearer ${known.get('<the token of Rita>')}` } : {};
      const json = data === undefined ? undefined : JSON.parse(filled(data));
      const request = `${method ?? (json === undefined ? 'GET' : 'POST')} ${filled(path)}`;
      const { status, body } = await corridor.api(request, json, headers);
      expect(status, `${request}: ${JSON.stringify(body)}`).toBeLessThan(300);
      learn(path, body);
      answers.push(body);
    }
    return answers;
  };

  const loading = blocksOf('Load it, send, look', 'sh').find((block) => block.includes('/senders')) ?? '';
  expect(await walk(loading)).toHaveLength(3);
  await corridor.api('POST /profiles', { externalId: 'c-2', fields: { name: 'Ben', age: 40 } });
  const phone = '+491700000066';
  await corridor.api('POST /subscriptions', {
    profile: 'c-2',
    resource: 'shop',
    channel: 'acme_sms',
    fields: { phone },
  });
  await corridor.idle();

  const [people = '', review = '', sending = ''] = blocksOf('Write content', 'sh');
  expect(await walk(people)).toHaveLength(2);
  const reviewed = await walk(review);
  expect(reviewed).toHaveLength(6);
  expect(reviewed[1]).toMatchObject({ publishable: true, sample: { profiles: 2, refused: 0 } });
  expect(own(own(reviewed[3], 'data'), '0')).toMatchObject({ name: 'Spring greeting', status: 'in_review' });
  expect(reviewed[5]).toMatchObject({ status: 'published', version: 2, publishedVersion: 2 });
  expect(await walk(sending)).toHaveLength(4);
  await corridor.idle();

  const { body: mailing } = await corridor.api(`GET /mailings/${known.get('<id of the mailing>')}`);
  expect(mailing).toMatchObject({ state: 'finished', counts: { sent: 2 } });
  const texts = (await corridor.provider.log()).map(({ body }) => JSON.parse(body).text);
  const sale = (name: string) => `Hi ${name}, spring is here: 20 % off everything`;
  // The first message of the guide, the test, and the mailing.
  expect(texts.sort()).toEqual(['Hi Ann', sale('Ann'), sale('Ann'), sale('Ben')].sort());
});
