/** The page of all operations of the API at a glance, from the routes themselves. */
import { PERMISSIONS } from '../access/permissions.ts';
import type { Route } from '../http/route.ts';
import { code, page, table } from './markdown.ts';
import { declaredRoutes } from './openapi-document.ts';

/** Writes the page: one table for each tag, in the order in which the routes are declared. */
export function routesPage(): string {
  const routes = declaredRoutes();
  const tags = Map.groupBy(routes, (route) => route.tag);
  return page('Operations of the API', [
    `All ${routes.length} operations, below \`/api/v1\`. Bodies and answers are in [openapi.json](../openapi.json). The last column is the least ` +
      'role that a token needs.',
    ...[...tags].flatMap(([tag, members]) => [`## ${tag}`, tableOf(members)]),
  ]);
}

function tableOf(routes: readonly Route[]): string {
  return table(
    ['operation', 'what it does', 'role'],
    routes.map((route) => [code(`${route.method} ${route.path}`), route.summary, roleOf(route.action)]),
  );
}

function roleOf(action: Route['action']): string {
  return action === 'open' ? 'none, no token' : PERMISSIONS[action][0];
}
