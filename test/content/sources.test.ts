/** What an entry becomes, and what adapters make of the odd parts of answers. */
import { describe, expect, it } from 'vitest';
import { SOURCE_ADAPTERS } from '../../src/content/sources/catalog.ts';
import { mapEntry } from '../../src/content/sources/map-entry.ts';
import { type Mappings, readMappings } from '../../src/content/sources/mappings.ts';
import type { ChannelType } from '../../src/content/types/contract.ts';

const map = (channelType: ChannelType, mappings: Mappings, values: Record<string, unknown>) =>
  mapEntry(readMappings(channelType, mappings), values);

describe('mapping', () => {
  const post = {
    title: { rendered: 'Salt &amp; <em>pepper</em> &#8211; new' },
    content: { rendered: '<p>Salt &amp; pepper</p>' },
  };

  it('keeps HTML where HTML belongs, and makes it plain elsewhere', () => {
    const mappings = { 'title.rendered': 'name', 'content.rendered': ['content.html', 'content.text'] };
    expect(map('email_html', mappings, post)).toEqual({
      entry: {
        name: 'Salt & pepper – new',
        description: null,
        content: { subject: 'Salt & pepper – new', html: '<p>Salt &amp; pepper</p>', text: 'Salt & pepper' },
        tags: [],
        blocks: null,
      },
      problems: [],
      missing: [],
    });
  });

  it('takes the shown form where a path ends before it, and the name for a subject that nobody maps', () => {
    const { entry } = map('email_html', { title: 'name', content: 'content.html' }, post);
    expect(entry).toMatchObject({ name: 'Salt & pepper – new', content: { subject: 'Salt & pepper – new' } });
  });

  it('says what is missing: of what is required as a problem, of the rest as a lack', () => {
    const mappings = { title: 'name', body: 'content.body', teaser: 'description' };
    expect(map('sms_text', mappings, { title: 'A', body: null })).toMatchObject({
      problems: ['The entry has no value at "body", which becomes content.body.'],
      missing: ['The entry has no value at "teaser", so description is left out.'],
    });
  });

  it('says what does not fit, and guesses nothing', () => {
    const { problems } = map(
      'sms_text',
      { title: 'name', body: 'content.body' },
      { title: 'A', body: [{ _type: 'block' }] },
    );
    expect(problems).toEqual(['The value at "body" is a list, and content.body takes a text.']);
    expect(
      map('sms_text', { title: 'name', body: 'content.body' }, { title: 'x'.repeat(256), body: 'B' })
        .problems,
    ).toEqual(['The name has 256 characters, and at most 255 are kept.']);
  });

  it('fills a payload place by place, and tags from texts or named objects', () => {
    const mappings = { t: 'name', n: 'content.payload.item.count', tags: 'tags' };
    const { entry } = map('webhook_json', mappings, { t: 'A', n: 3, tags: [{ name: 'x' }, 'y', 'x'] });
    expect(entry).toMatchObject({ content: { payload: { item: { count: 3 } } }, tags: ['x', 'y'] });
    const hostile = map(
      'webhook_json',
      { t: 'name', n: 'content.payload.__proto__.polluted' },
      { t: 'A', n: 1 },
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(hostile.entry.name).toBe('A');
  });
});

describe('adapters', () => {
  it('give pictures their addresses', () => {
    const { contentful, strapi, sanity } = SOURCE_ADAPTERS;
    const asset = { sys: { type: 'Asset', id: 'a' }, fields: { file: { url: '//images.example/a.png' } } };
    const link = { sys: { type: 'Link', linkType: 'Asset', id: 'a' } };
    const json = {
      total: 1,
      skip: 0,
      items: [{ sys: { id: 'e' }, fields: { picture: link } }],
      includes: { Asset: [asset] },
    };
    expect(contentful.readPage({}, { headers: {}, json }, null).entries[0]?.values).toMatchObject({
      picture: { fields: { file: { url: 'https://images.example/a.png' } } },
    });
    const upload = { url: '/uploads/a.png', mime: 'image/png' };
    const data = [{ id: 1, documentId: 'd', picture: upload }];
    expect(
      strapi.readPage({ url: 'https://s.example' }, { headers: {}, json: { data } }, null).entries[0]?.values,
    ).toMatchObject({
      picture: { url: 'https://s.example/uploads/a.png' },
    });
    const result = [{ _id: 'x', picture: { asset: { _ref: 'image-abc-20x10-png' } } }];
    expect(
      sanity.readPage({ projectId: 'p', dataset: 'd' }, { headers: {}, json: { result } }, null).entries[0]
        ?.values,
    ).toMatchObject({
      picture: { asset: { url: 'https://cdn.sanity.io/images/p/d/abc-20x10.png' } },
    });
  });

  it('read WordPress on where a proxy dropped the totals, and end where the list became shorter', () => {
    const { wordpress } = SOURCE_ADAPTERS;
    const json = Array.from({ length: 100 }, (_, index) => ({ id: index + 1 }));
    expect(wordpress.readPage({}, { headers: {}, json }, '2').next).toBe('3');
    expect(wordpress.readPage({}, { headers: {}, json: json.slice(1) }, '2').next).toBeNull();
    expect(wordpress.isPastEnd?.(400, { code: 'rest_post_invalid_page_number' })).toBe(true);
    expect(wordpress.isPastEnd?.(400, { code: 'rest_invalid_param' })).toBe(false);
  });

  it('paste nothing into a query or a path', () => {
    const { sanity, contentful, strapi } = SOURCE_ADAPTERS;
    const hostile = '"] | {"secret": *[_type == "user"]} //';
    const asked = new URL(
      sanity.byIds({ projectId: 'p', dataset: 'd', apiVersion: '2024-01-01', type: hostile }, [hostile]).url,
    );
    expect(asked.searchParams.get('query')).not.toContain('secret');
    expect(JSON.parse(asked.searchParams.get('$type') ?? '')).toBe(hostile);
    for (const id of ['..', 'a/b', '', 'a?b', 'a,b']) {
      expect(contentful.externalIdOf({}, { sys: { id } }), id).toBeUndefined();
      expect(strapi.externalIdOf({}, { entry: { documentId: id } }), id).toBeUndefined();
    }
  });
});
