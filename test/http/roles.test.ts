/** The table of roles, asked of every route of the API with every role; a route that the table does not know fails here. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openapiDocument } from '../../src/reference/openapi-document.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';

type Role = 'viewer' | 'editor' | 'admin';

/** Who may at least do it, the first line that fits; reading is for everybody where no line says otherwise. */
const LEAST: readonly (readonly [RegExp, Role])[] = [
  [/^GET \/(audit|webhooks)/, 'admin'],
  [/^GET \/suppressions/, 'editor'],
  [/^GET /, 'viewer'],
  // One's own.
  [/^(POST \/me\/password|DELETE \/sessions\/current)$/, 'viewer'],
  // Nothing is changed and nothing sent.
  [/^POST \/(content\/\{id\}\/preview|mailings\/\{id\}\/audience)$/, 'viewer'],
  [/^POST \/channels\/(\{sid\}\/)?(check|dry-run|test)$/, 'editor'],
  [/^POST \/channels\/\{sid\}\/entities\//, 'editor'],
  [/^\w+ \/(content|templates|messages|listener|mailings|profiles|subscriptions)(\/|$)/, 'editor'],
  [
    /^\w+ \/(channels|senders|resources|connectors|content-sources|lanes|suppressions|sending-rules|webhooks|accounts|users|tokens)(\/|$)/,
    'admin',
  ],
];
const ROLES: readonly Role[] = ['viewer', 'editor', 'admin'];

const { paths } = openapiDocument() as unknown as {
  paths: Record<string, Record<string, { security?: unknown[] }>>;
};
const routes = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, { security }]) => security?.length !== 0)
    .map(([method]) => `${method.toUpperCase()} ${path.replace('/api/v1', '')}`),
);

let corridor: Corridor;
const tokens = new Map<Role, string>();
beforeAll(async () => {
  corridor = await openCorridor();
  for (const role of ROLES) {
    const user = await corridor.api('POST /users', { email: `${role}@example.com`, name: role, role });
    const token = await corridor.api('POST /tokens', { userId: user.body.id, name: role, role });
    tokens.set(role, token.body.token);
  }
});
afterAll(() => corridor.end());

describe('the table of roles', () => {
  it.each(routes)('holds for %s', async (route) => {
    const least = LEAST.find(([pattern]) => pattern.test(route))?.[1];
    if (least === undefined) throw new Error(`This test does not know who may ${route}.`);
    const place = route.replaceAll(/\{\w+\}/g, '00000000-0000-7000-8000-000000000000');
    for (const role of ROLES) {
      const { status, body } = await corridor.api(place, undefined, {
        authorization: `Bearer ${tokens.get(role)}`,
      });
      const told = `${role}: ${JSON.stringify(body)}`;
      if (ROLES.indexOf(role) < ROLES.indexOf(least)) {
        expect(status, told).toBe(403);
        // Anyone who is refused learns which role it takes and which one the token has.
        expect(body.detail).toContain(least);
        expect(body.detail).toContain(`has the role ${role}`);
      } else {
        expect([401, 403], told).not.toContain(status);
        expect(status, told).toBeLessThan(500);
      }
    }
  });

  it('covers what the API has', () => {
    expect(routes.length).toBeGreaterThan(90);
  });
});
