/** Who may do what: the one table of authorization (content-and-modes, section 7). */
import { Failure } from '../errors.ts';
import type { Role } from '../storage/tokens.ts';

/** Actions in the order of least power that allows them. */
export const PERMISSIONS = {
  read: ['viewer', 'editor', 'admin'],
  'content.write': ['editor', 'admin'],
  'messages.write': ['editor', 'admin'],
  'mailings.write': ['editor', 'admin'],
  'profiles.write': ['editor', 'admin'],
  'operations.run': ['editor', 'admin'],
  'channels.write': ['admin'],
  'senders.write': ['admin'],
  'resources.write': ['admin'],
  'connectors.write': ['admin'],
  'sources.write': ['admin'],
  'users.write': ['admin'],
  'tokens.write': ['admin'],
  'accounts.write': ['admin'],
  'lanes.write': ['admin'],
  'suppressions.read': ['editor', 'admin'],
  'suppressions.write': ['admin'],
  'sending_rules.write': ['admin'],
  'audit.read': ['admin'],
  'webhooks.read': ['admin'],
  'webhooks.write': ['admin'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;

export type Action = keyof typeof PERMISSIONS;

/** From least power to most. */
export const ROLES: readonly Role[] = Object.freeze(['viewer', 'editor', 'admin']);

/** The one with less power. */
export function lowerRole(one: Role, other: Role): Role {
  return ROLES.indexOf(one) < ROLES.indexOf(other) ? one : other;
}

/** Throws FORBIDDEN if the role may not do this. */
export function authorize(role: Role, action: Action): void {
  const allowed: readonly Role[] = PERMISSIONS[action];
  if (!allowed.includes(role)) {
    throw new Failure(
      'FORBIDDEN',
      `This needs the role ${allowed.join(' or ')}, and this token has the role ${role}. Ask an admin for another token.`,
    );
  }
}
