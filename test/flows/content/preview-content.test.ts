/** Previews of content items: what one person would get, what nobody guards, and the worst case of many. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addItem, addVersion } from '../../support/content-rows.ts';
import { type Corridor, openCorridor } from '../../support/corridor.ts';
import { databaseKinds } from '../../support/database.ts';

const kinds = await databaseKinds();

describe.each(kinds)('previews (%s)', (kind) => {
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    const people = {
      ann: { name: 'Ann', vip: true },
      bob: { name: '' },
      cleo: { name: 'Cleopatra'.repeat(20), vip: true },
      dana: { name: 'Дана'.repeat(20) },
      eve: { vip: true },
    };
    for (const [externalId, fields] of Object.entries(people)) {
      await corridor.api('POST /profiles', { externalId, fields });
    }
  });
  afterAll(() => corridor.end());

  const add = (given: Parameters<typeof addItem>[2]) =>
    addItem(corridor.database, corridor.accountId, { published: false, ...given });
  const preview = async (id: string, json: object = {}) => {
    const { status, body } = await corridor.api(`POST /content/${id}/preview`, json);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body;
  };
  const sms = (body: string, personalization: object[] = []) =>
    add({ channelType: 'sms_text', content: { body }, personalization });

  it('renders for given values', async () => {
    const id = await sms('{{ customer.name }} {{ offer.price }} {{ attributes.code }}', [
      { variable: 'customer.name', fallback: 'friend' },
      { variable: 'offer.price', required: true },
      { variable: 'attributes.code', required: true },
    ]);
    const data = { customer: { name: 'Ann' }, offer: { price: 3 }, attributes: { code: 'x' } };
    expect(await preview(id, { data })).toMatchObject({
      version: 1,
      channelType: 'sms_text',
      content: { body: 'Ann 3 x' },
      unresolved: [],
      fallbacks: [],
      refusal: null,
      publishable: true,
      checks: [{ code: 'sms-size', facts: { encoding: 'GSM-7', characters: 7, segments: 1 } }],
    });
    expect(await preview(id)).toMatchObject({
      content: { body: 'friend  ' },
      unresolved: ['offer.price', 'attributes.code'],
      fallbacks: ['customer.name'],
      refusal: { code: 'CONTENT_VARIABLE_MISSING' },
      publishable: true,
    });
  });

  it('names what has neither a fallback nor "required", whatever the values are', async () => {
    const id = await sms('Hi {{ customer.name }}, {% if attributes.x %}{{ offer.y }}{% endif %}', [
      { variable: 'offer.y', required: true },
    ]);
    const data = { customer: { name: 'Ann' }, attributes: { x: 1 }, offer: { y: 2 } };
    const seen = await preview(id, { data });
    expect(seen).toMatchObject({
      content: { body: 'Hi Ann, 2' },
      unresolved: ['customer.name', 'attributes.x'],
      publishable: false,
      problems: [
        { variable: 'customer.name', pointer: '/content/body', message: expect.any(String) },
        { variable: 'attributes.x' },
      ],
    });
  });

  it('says what a text costs as SMS after personalization, and which character made it dearer', async () => {
    const id = await sms('Hi {{ customer.name }}', [{ variable: 'customer.name', required: true }]);
    const data = { customer: { name: `${'a'.repeat(66)}ё` } };
    expect((await preview(id, { data })).checks).toMatchObject([
      { facts: { encoding: 'UCS-2', characters: 70, segments: 1, forcedBy: 'ё' } },
    ]);
  });

  it('measures a notification as rendered', async () => {
    const id = await add({
      channelType: 'push_notification',
      content: { title: '{{ customer.name }}', body: 'x{{ customer.name }}' },
      personalization: [{ variable: 'customer.name', required: true }],
    });
    const of = async (length: number) =>
      (await preview(id, { data: { customer: { name: 'n'.repeat(length) } } })).checks.map(
        (each: { pointer: string }) => each.pointer,
      );
    expect([await of(65), await of(66), await of(240)]).toEqual([[], ['/title'], ['/title', '/body']]);
  });

  it('escapes in HTML only', async () => {
    const id = await add({
      channelType: 'email_html',
      content: { subject: '{{ customer.name }}', html: '<p>{{ customer.name }}</p>' },
      personalization: [{ variable: 'customer.name', required: true }],
    });
    expect((await preview(id, { data: { customer: { name: '<b>' } } })).content).toEqual({
      subject: '<b>',
      html: '<p>&lt;b&gt;</p>',
    });
  });

  it('leaves the placeholders of a WhatsApp template to WhatsApp', async () => {
    const id = await add({
      channelType: 'whatsapp_template',
      content: {
        templateName: 'order',
        language: 'en',
        components: [{ type: 'BODY', text: 'Hello {{1}}' }],
        variables: { 1: '{{ customer.name }}' },
      },
      personalization: [{ variable: 'customer.name', required: true }],
    });
    expect((await preview(id, { profile: 'ann' })).content).toMatchObject({
      components: [{ text: 'Hello {{1}}' }],
      variables: { 1: 'Ann' },
    });
  });

  it('takes a profile, and what is to be different about it', async () => {
    const id = await sms('{{ customer.external_id }} {{ customer.name }} {{ customer.city }}', [
      { variable: 'customer.external_id', required: true },
      { variable: 'customer.name', required: true },
      { variable: 'customer.city', fallback: 'Berlin' },
    ]);
    expect((await preview(id, { profile: 'ann' })).content.body).toBe('ann Ann Berlin');
    const data = { customer: { name: 'Anna' } };
    expect((await preview(id, { profile: 'ann', data })).content.body).toBe('ann Anna Berlin');
    const { status, body } = await corridor.api(`POST /content/${id}/preview`, { profile: 'nobody' });
    expect([status, body.problems[0].pointer]).toEqual([422, '/profile']);
  });

  it('shows the version that people work on, or another one', async () => {
    const id = await sms('one');
    await addVersion(corridor.database, id, 2, { content: { body: 'two' } });
    expect(await preview(id)).toMatchObject({ version: 2, content: { body: 'two' } });
    expect(await preview(id, { version: 1 })).toMatchObject({ version: 1, content: { body: 'one' } });
    expect((await corridor.api(`POST /content/${id}/preview`, { version: 3 })).status).toBe(422);
  });

  it('says why a formula has no result', async () => {
    const id = await sms('{{ computed.a }}', [
      { variable: 'computed.a', formula: 'customer.name + 1', required: true },
    ]);
    expect(await preview(id, { profile: 'ann' })).toMatchObject({
      content: { body: '' },
      refusal: { code: 'JSONATA_FAILED', detail: expect.stringContaining('computed.a') },
    });
  });

  it('finds the worst case in a sample', async () => {
    const id = await sms('Hi {{ customer.name }}', [{ variable: 'customer.name', required: true }]);
    const { sample } = await preview(id, { sample: {} });
    expect(sample).toEqual({
      profiles: 5,
      refused: 2,
      missing: [{ variable: 'customer.name', count: 2, profiles: ['bob', 'eve'] }],
      fallbacks: [],
      refusals: [],
      checks: [{ severity: 'warning', code: 'sms-size', pointer: '/body', count: 1, profiles: ['dana'] }],
      longest: { body: { characters: 183, profile: 'cleo' } },
      worst: { profile: 'cleo', encoding: 'GSM-7', characters: 183, segments: 2 },
      segments: 5,
      complete: true,
    });
    const vips = await preview(id, { sample: { where: { vip: true }, limit: 2 } });
    expect(vips.sample).toMatchObject({ profiles: 2, refused: 0, worst: { profile: 'cleo' } });
    const cyrillic = await preview(id, { sample: { where: { name: { contains: 'Дана' } } } });
    expect(cyrillic.sample.worst).toMatchObject({ encoding: 'UCS-2', segments: 2, forcedBy: 'Д' });
  });

  it('counts fallbacks and what else was refused', async () => {
    const id = await sms('{{ customer.name }}{% for x in customer.list %}{{ x.y }}{% endfor %}', [
      { variable: 'customer.name', fallback: 'friend' },
      { variable: 'customer.list', fallback: [{}] },
    ]);
    const { sample } = await preview(id, { sample: { limit: 3 } });
    expect(sample).toMatchObject({
      refused: 3,
      fallbacks: [
        { variable: 'customer.list', count: 3 },
        { variable: 'customer.name', count: 1, profiles: ['bob'] },
      ],
      refusals: [
        { code: 'CONTENT_VARIABLE_MISSING', detail: expect.stringContaining('{{ x.y }}'), count: 3 },
      ],
    });
  });

  it('refuses what is not there or not written correctly', async () => {
    const id = await sms('x');
    const refused = async (path: string, json: object) => (await corridor.api(`POST ${path}`, json)).status;
    expect(await refused('/content/none/preview', {})).toBe(404);
    expect(await refused('/content/00000000-0000-7000-8000-000000000000/preview', {})).toBe(404);
    expect(await refused(`/content/${id}/preview`, { sample: { limit: 10_001 } })).toBe(422);
    expect(await refused(`/content/${id}/preview`, { sample: { where: { a: { like: 1 } } } })).toBe(422);
    expect(await refused(`/content/${id}/preview`, { data: { computed: {} } })).toBe(422);
    const broken = await sms('x', [{ variable: 'name', fallback: 'x' }]);
    const { status, body } = await corridor.api(`POST /content/${broken}/preview`, {});
    expect([status, body.problems[0].pointer]).toEqual([422, '/personalization/0/variable']);
  });
});
