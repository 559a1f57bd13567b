/** All adapters, by provider. */
import { contentful } from './contentful.ts';
import type { Provider, SourceAdapter } from './contract.ts';
import { sanity } from './sanity.ts';
import { strapi } from './strapi.ts';
import { wordpress } from './wordpress.ts';

export const SOURCE_ADAPTERS: Readonly<Record<Provider, SourceAdapter>> = Object.freeze({
  wordpress,
  contentful,
  strapi,
  sanity,
});
