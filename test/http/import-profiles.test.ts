import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileRoutes } from '../../src/http/routes/profiles.ts';
import { at, pointersOf } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';
import { importsOf, inPieces, linesOf } from '../support/imports.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime }) => profileRoutes(runtime));
});
afterAll(() => api.close());

const { csv, ndjson } = importsOf(() => api);
const fieldsOf = async (externalId: string) =>
  at((await api.call(`GET /profiles/${externalId}`)).body, 'fields');
const count = async (prefix: string) => {
  const [row] = await api.runtime.database.query<{ count: number }>(
    'select count(*)::int as count from profile where starts_with(external_id, $1)',
    [prefix],
  );
  return row?.count;
};

describe('importing profiles', () => {
  it('takes 5,000 lines of CSV and reports the bad ones by their line', async () => {
    const bad = new Map([
      [100, ',no id,1'],
      [1_000, 'c999,"not closed,1'],
      [2_500, 'c2499,too,many,columns'],
      [2_501, 'c2500,mid"quote,1'],
      [4_000, 'c3999,too few'],
      [5_001, 'c5000,a\0b,1'],
    ]);
    const rows = Array.from(
      { length: 5_000 },
      (_, index) => bad.get(index + 2) ?? `c${index + 1},"Name, ${index + 1}",${index}`,
    );
    const answer = await csv('profiles', `externalId,name,fields.age:number\r\n${rows.join('\r\n')}\r\n`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ created: 4_994, updated: 0, failed: 6 });
    expect(linesOf(answer)).toEqual([...bad.keys()]);
    expect(await count('c')).toBe(4_994);
    expect(await fieldsOf('c1')).toEqual({ name: 'Name, 1', age: 0 });
    expect(await fieldsOf('c1000')).toEqual({ name: 'Name, 1000', age: 999 });
  });

  it('takes 5,000 lines of NDJSON, updates what is there, and reports the bad ones', async () => {
    const bad = new Map([
      [3, '{"externalId":"n3","fields":'],
      [4, '[1,2]'],
      [1_002, '{"externalId":""}'],
      [1_003, '{"externalId":"n1003","feilds":{}}'],
      [2_000, '{"externalId":"n2000","fields":{"a":"\\u0000"}}'],
      [2_001, `{"externalId":"n2001","fields":{"a":${'['.repeat(3_000)}${']'.repeat(3_000)}}}`],
      [5_000, '{"fields":{}}'],
    ]);
    const line = (number: number) =>
      JSON.stringify({ externalId: `n${number}`, fields: { number, tags: ['ä', '"'] } });
    const rows = Array.from({ length: 5_000 }, (_, index) => bad.get(index + 1) ?? line(index + 1));
    const first = await ndjson('profiles', rows.join('\n'));
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ created: 4_993, updated: 0, failed: 7 });
    expect(linesOf(first)).toEqual([...bad.keys()]);
    const messages = at(first.body, 'problems');
    expect(JSON.stringify(messages)).toContain('Did you mean \\"fields\\"?');
    expect(await count('n')).toBe(4_993);
    expect(await fieldsOf('n5')).toEqual({ number: 5, tags: ['ä', '"'] });
    const second = await ndjson('profiles', rows.join('\n'));
    expect(second.body).toMatchObject({ created: 0, updated: 4_993, failed: 7 });
  });

  it('reads rows over several lines, and loses no row to a quote that is not closed', async () => {
    const text = [
      'externalId,note',
      'q1,"two',
      'lines with ""quotes"""',
      'q2,"open',
      'q3,plain',
      'q4,"closed"',
      'q5,"and, again',
      '',
      'two lines"',
      '',
      'q6,"open to the end',
      'q7,last',
    ].join('\n');
    for (const size of [1, 7, 10_000]) {
      const answer = await csv('profiles', inPieces(Buffer.from(text), size));
      expect(answer.body).toMatchObject({ failed: 2 });
      expect(linesOf(answer)).toEqual([4, 11]);
      expect(await count('q')).toBe(5);
    }
    expect(await fieldsOf('q1')).toEqual({ note: 'two\nlines with "quotes"' });
    expect(await fieldsOf('q3')).toEqual({ note: 'plain' });
    expect(await fieldsOf('q5')).toEqual({ note: 'and, again\n\ntwo lines' });
    expect(await fieldsOf('q7')).toEqual({ note: 'last' });
  });

  it('reads UTF-8 cut anywhere, with a mark at the beginning, and says which line is none', async () => {
    const bytes = Buffer.concat([
      Buffer.from('\uFEFFexternalId,city\nu1,Zürich\nu2,'),
      Buffer.from([0xfc]),
      Buffer.from('\nu3,東京 😀'),
    ]);
    const answer = await csv('profiles', inPieces(bytes, 1));
    expect(answer.body).toMatchObject({ created: 2, failed: 1 });
    expect(at(answer.body, 'problems.0')).toMatchObject({
      line: 3,
      message: expect.stringContaining('UTF-8'),
    });
    expect(await fieldsOf('u1')).toEqual({ city: 'Zürich' });
    expect(await fieldsOf('u3')).toEqual({ city: '東京 😀' });
  });

  it('reads cells in the declared types; an empty cell changes nothing', async () => {
    const header = 'externalId,age:number,vip:bool,tags:json,zip,time:zone';
    const answer = await csv('profiles', `${header}\nt1,1e2,true,"[1,""a""]",01234,x\nt2,,FALSE,,,`);
    expect(answer.body).toMatchObject({ created: 2 });
    expect(await fieldsOf('t1')).toEqual({
      age: 100,
      vip: true,
      tags: [1, 'a'],
      zip: '01234',
      'time:zone': 'x',
    });
    expect(await fieldsOf('t2')).toEqual({ vip: false });
    await csv('profiles', `${header}\nt1,,,,99999,`);
    expect(await fieldsOf('t1')).toMatchObject({ age: 100, zip: '99999' });
  });

  it.each([
    ['TRUE', true],
    ['yes', true],
    ['1', true],
    ['False', false],
    ['NO', false],
    ['0', false],
  ])('reads %s as a truth', async (written, value) => {
    await csv('profiles', `externalId,vip:bool\nspelled-${written},${written}`);
    expect(await fieldsOf(`spelled-${written}`)).toEqual({ vip: value });
  });

  it('names a cell that does not fit its column, and writes the other rows', async () => {
    const answer = await csv(
      'profiles',
      'externalId,vip:bool,age:number\nw1,maybe,3\nw2,true,old\nw3,true,3',
    );
    expect(answer.body).toMatchObject({
      ...{ created: 1, failed: 2 },
      problems: [
        {
          line: 2,
          message: 'Column "vip" takes true or false, yes or no, 1 or 0, but holds "maybe".',
        },
        { line: 3, message: 'Column "age" takes a number such as 12 or 3.5, but holds "old".' },
      ],
    });
  });

  it('writes a profile that stands there twice once, the later line on top', async () => {
    const lines = [{ a: 1, b: 1 }, { b: 2 }].map((fields) => JSON.stringify({ externalId: 'twice', fields }));
    expect((await ndjson('profiles', lines.join('\n'))).body).toMatchObject({
      created: 1,
      updated: 1,
      failed: 0,
    });
    expect(await fieldsOf('twice')).toEqual({ a: 1, b: 2 });
  });

  it('keeps 1,000 problems and counts them all', async () => {
    const answer = await ndjson('profiles', 'x\n'.repeat(1_500));
    expect(answer.body).toMatchObject({ created: 0, failed: 1_500 });
    expect(linesOf(answer)).toHaveLength(1_000);
  });

  it('passes over a line that is too long, without keeping it, and goes on', async () => {
    const long = `{"externalId":"long","fields":{"a":"${'x'.repeat(1_100_000)}"}}`;
    const answer = await ndjson(
      'profiles',
      inPieces(Buffer.from(`${long}\n{"externalId":"after_long"}`), 65_536),
    );
    expect(answer.body).toMatchObject({ created: 1, failed: 1 });
    expect(linesOf(answer)).toEqual([1]);
  });

  it('takes a line only after what came before it is on its way to the database', async () => {
    // The stream is endless until the rows read first are stored: reading it all at first would never end.
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const stored = (await count('flow')) ?? 0;
          if (stored > 0) controller.close();
          else {
            const lines = Array.from({ length: 500 }, () => `{"externalId":"flow${++sent}"}\n`);
            controller.enqueue(Buffer.from(lines.join('')));
          }
        },
      },
      { highWaterMark: 0 },
    );
    const answer = await ndjson('profiles', stream);
    expect(answer.body).toMatchObject({ created: sent, failed: 0 });
    expect(sent).toBeLessThanOrEqual(2_000);
  });

  it('keeps what came before a stream broke off, and the audit says how much', async () => {
    let pulls = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulls += 1;
        if (pulls > 1) controller.error(new Error('gone'));
        else
          controller.enqueue(
            Buffer.from(Array.from({ length: 1_200 }, (_, i) => `{"externalId":"b${i}"}\n`).join('')),
          );
      },
    });
    const answer = await ndjson('profiles', stream);
    expect(answer.status).toBe(400);
    expect(at(answer.body, 'detail')).toContain('broke off');
    expect(await count('b')).toBe(1_000);
    const [entry] = await api.runtime.database.query(
      'select action, after from audit order by id desc limit 1',
    );
    expect(entry).toEqual({ action: 'profiles.import', after: { created: 1_000, updated: 0, failed: 0 } });
  });

  it.each([
    ['no header', '', 'no header row'],
    ['a header without externalId', 'external_id,name\na,b', 'Is it "external_id"?'],
    ['semicolons', 'externalId;name\na;b', 'commas'],
    ['a column twice', 'externalId,a,fields.a\nx,1,2', 'twice'],
    ['a column without a name', 'externalId,\nx,1', 'no name'],
    ['a header whose quote is not closed', '"externalId,a\nx,1', 'header'],
  ])('refuses a file with %s as a whole', async (_what, text, sentence) => {
    const answer = await csv('profiles', text);
    expect(answer.status).toBe(422);
    expect(String(at(answer.body, 'detail'))).toContain(sentence);
  });

  it('is refused by type, role and token', async () => {
    const body = '{"externalId":"x"}';
    const send = (token: string, type: string) =>
      api.call('POST /profiles/import', { token, body, headers: { 'content-type': type } });
    const typed = await send(api.token, 'application/json');
    expect(typed.status).toBe(415);
    expect(at(typed.body, 'detail')).toContain('application/x-ndjson');
    expect((await send(await api.tokenOf('viewer'), 'text/csv')).status).toBe(403);
    expect((await send('none', 'text/csv')).status).toBe(401);
    const empty = await api.call('POST /profiles/import', {
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(empty.status).toBe(400);
    const query = await api.call('POST /profiles/import?dry=1', {
      body,
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(pointersOf(query)).toEqual(['/query/dry']);
  });
});
