/** Looking at content before anybody gets it. */
import { Failure } from '../../errors.ts';
import { MOST_SAMPLED, type PreviewRequest, previewContent } from '../../flows/content/preview-content.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import type { JsonObject } from '../../json.ts';
import { type Route, route } from '../route.ts';
import { anyObject, externalId, objectSchema } from '../schemas.ts';

const previewRequest = objectSchema({
  data: objectSchema(
    { customer: anyObject, offer: anyObject, attributes: anyObject },
    [],
    'Values by namespace.',
  ),
  profile: {
    ...externalId,
    description: 'A profile for `customer`; members of `data.customer` go before its fields.',
  },
  sample: objectSchema(
    {
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: MOST_SAMPLED,
        default: 1_000,
        description: 'How many profiles at most.',
      },
      where: { ...anyObject, description: 'A filter on profile fields, as in audiences.' },
    },
    [],
    'Renders for many profiles, and gives the worst case.',
  ),
  version: {
    maximum: 2_147_483_647,
    type: 'integer',
    minimum: 1,
    description: 'The version that people work on where it is left out.',
  },
});

const strings: JsonObject = { type: 'array', items: { type: 'string' } };
const counted: JsonObject = {
  type: 'array',
  items: anyObject,
  description: 'Each with `count` and the first `profiles`.',
};

const preview = objectSchema({
  version: { type: 'integer' },
  channelType: { type: 'string' },
  content: { type: ['object', 'null'], description: 'As rendered.' },
  checks: {
    type: 'array',
    items: anyObject,
    description: 'What the type says to the rendered content: severity, code, pointer, message, facts.',
  },
  unresolved: {
    ...strings,
    description: 'Variables without a value here and without a fallback, and those that nothing guards.',
  },
  fallbacks: { ...strings, description: 'Variables that got their fallback.' },
  refusal: { type: ['object', 'null'], description: 'Why a message with these values would not be sent.' },
  publishable: {
    type: 'boolean',
    description: 'False while a variable has neither a fallback nor `required`.',
  },
  problems: { type: 'array', items: anyObject, description: 'These variables: variable, pointer, message.' },
  sample: objectSchema({
    profiles: { type: 'integer', description: 'How many were rendered.' },
    refused: { type: 'integer', description: 'How many of them would get no message.' },
    missing: counted,
    fallbacks: counted,
    refusals: counted,
    checks: counted,
    longest: { ...anyObject, description: 'The longest text of each key, with its profile.' },
    worst: {
      type: ['object', 'null'],
      description: 'SMS: the dearest text: profile, encoding, characters, segments, forcedBy.',
    },
    segments: { type: 'integer', description: 'SMS: of all profiles together.' },
    complete: { type: 'boolean', description: 'False where it took too long and ended early.' },
  }),
});

/** Routes that show content as people would get it. */
export function contentPreviewRoutes(runtime: Runtime): Route[] {
  return [
    route<PreviewRequest>({
      method: 'POST',
      path: '/content/{id}/preview',
      action: 'read',
      tag: 'content',
      summary: 'Render a content item for given values, a profile, or a sample of profiles. Nothing is sent.',
      body: previewRequest,
      answers: { 200: { description: 'The content as rendered, and its checks.', schema: preview } },
      run: async ({ caller, params, body }) => {
        const { id = '' } = params;
        if (!isUuid(id)) throw new Failure('NOT_FOUND', 'There is no content item with this id.');
        return { status: 200, body: await previewContent(runtime, caller.accountId, id, body) };
      },
    }),
  ];
}
