/** JSON Schemas that several routes share. */
import type { JsonObject } from '../json.ts';

/** An object with these members and no others. */
export function objectSchema(
  properties: JsonObject,
  required: readonly string[] = [],
  description?: string,
): JsonObject {
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required: [...required] }),
    additionalProperties: false,
    ...(description !== undefined && { description }),
  };
}

export const anyObject: JsonObject = { type: 'object', additionalProperties: true };
export const text = (description: string, more: JsonObject = {}): JsonObject => ({
  type: 'string',
  description,
  ...more,
});
export const sid: JsonObject = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]{1,62}$',
  description: 'A short name: lower-case letters, digits and underscores, beginning with a letter.',
};
export const entityName = text('For people.', { minLength: 1, maxLength: 255 });
export const externalId = text('External id of a profile.', { minLength: 1, maxLength: 255 });
export const category = text('What frequency caps count it as. Default: its class.', {
  minLength: 1,
  maxLength: 64,
});
export const time: JsonObject = { type: 'string', format: 'date-time' };
export const uuid: JsonObject = { type: 'string', format: 'uuid' };

export const contentItemId: JsonObject = {
  ...uuid,
  description: 'Instead of `template`: a content item, of which the published version is sent.',
};

export const profileOfMessage: JsonObject = {
  description: 'Direct channels: an external id, or a profile that is created or updated with the send.',
  anyOf: [
    text('External id of a profile.', { minLength: 1, maxLength: 255 }),
    objectSchema(
      {
        externalId: text('External id.', { minLength: 1, maxLength: 255 }),
        fields: anyObject,
        subscription: objectSchema({ fields: anyObject }),
      },
      ['externalId'],
    ),
  ],
};

/** Query members of every list. */
export const pageQuery: JsonObject = {
  limit: { type: 'integer', minimum: 1, maximum: 100, default: 20, description: 'Rows in a page.' },
  cursor: { type: 'string', description: '`nextCursor` of the page before.' },
};

/** The answer of a list. */
export function pageSchema(item: JsonObject): JsonObject {
  return objectSchema(
    {
      data: { type: 'array', items: item },
      pagination: objectSchema(
        {
          total: { type: 'integer' },
          limit: { type: 'integer' },
          hasMore: { type: 'boolean' },
          nextCursor: { type: ['string', 'null'] },
        },
        ['total', 'limit', 'hasMore', 'nextCursor'],
      ),
    },
    ['data', 'pagination'],
  );
}

/** One schema for objects with a member, another for all others; errors speak of the one that applies. */
export function ifHas(member: string, present: JsonObject, absent: JsonObject): JsonObject {
  return { if: { type: 'object', required: [member] }, ['then' as string]: present, else: absent };
}
