/** All routes of the API: the one place that knows each of them. */
import type { ExternalSignIn } from '../access/external-sign-in.ts';
import { createPasswords } from '../access/passwords.ts';
import { createSessions } from '../access/sessions.ts';
import type { Tokens } from '../access/tokens.ts';
import type { Accept } from '../flows/accept-message.ts';
import type { OpenOutside } from '../flows/around.ts';
import { unresolvedNames } from '../flows/content-items.ts';
import type { Directory } from '../flows/directory.ts';
import type { Ground } from '../flows/ground.ts';
import type { Lanes } from '../flows/lanes.ts';
import type { Mailings } from '../flows/mailings.ts';
import type { Send } from '../flows/sources/ask-source.ts';
import type { Route } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { auditRoutes } from './routes/audit.ts';
import { channelCheckRoutes } from './routes/channel-checks.ts';
import { channelRoutes } from './routes/channels.ts';
import { connectorRoutes } from './routes/connectors.ts';
import { contentRoutes } from './routes/content.ts';
import { contentLifecycleRoutes } from './routes/content-lifecycle.ts';
import { contentPreviewRoutes } from './routes/content-preview.ts';
import { contentSourceRoutes } from './routes/content-sources.ts';
import { contentVersionRoutes } from './routes/content-versions.ts';
import { eventRoutes } from './routes/events.ts';
import { laneRoutes } from './routes/lanes.ts';
import { mailingRoutes } from './routes/mailings.ts';
import { meRoutes } from './routes/me.ts';
import { messageRoutes } from './routes/messages.ts';
import { operationRoutes } from './routes/operations.ts';
import { operatorEventRoutes } from './routes/operator-events.ts';
import { profileRoutes } from './routes/profiles.ts';
import { providerConfigRoutes } from './routes/provider-config.ts';
import { reportRoutes } from './routes/reports.ts';
import { resourceRoutes } from './routes/resources.ts';
import { senderRuleRoutes } from './routes/sender-rules.ts';
import { senderRoutes } from './routes/senders.ts';
import { sendingRulesRoutes } from './routes/sending-rules.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { subscriptionRoutes } from './routes/subscriptions.ts';
import { suppressionRoutes } from './routes/suppressions.ts';
import { templateRoutes } from './routes/templates.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { userRoutes } from './routes/users.ts';
import { webhookRoutes } from './routes/webhooks.ts';

/** What the routes stand on. */
export interface RouteDeps {
  readonly ground: Ground;
  readonly directory: Directory;
  readonly accept: Accept;
  readonly mailings: Mailings;
  readonly tokens: Tokens;
  readonly lanes: Lanes;
  readonly open: OpenOutside;
  /** Sends a request to a CMS. */
  readonly send: Send;
  /** The identity provider, where one is set up. */
  readonly external?: ExternalSignIn | undefined;
  /** Told which lanes have something to do. */
  readonly woken: (laneIds: readonly number[]) => void;
}

/** Makes the routes, in the order of the documentation. Making them asks nothing of `deps` yet. */
export function allRoutes(deps: RouteDeps): readonly Route[] {
  const { ground, directory, accept, mailings, tokens, lanes, open, woken } = deps;
  const passwords = createPasswords();
  const sessions = createSessions(ground, passwords, tokens.forget, (user) =>
    ground.log.warn({ user }, 'a user was locked after too many wrong passwords'),
  );
  return Object.freeze([
    ...messageRoutes(ground, directory, accept, woken),
    ...mailingRoutes(ground, directory, mailings, accept),
    ...channelRoutes(ground, directory, woken),
    ...channelCheckRoutes(ground, directory),
    ...providerConfigRoutes(ground, directory),
    ...senderRuleRoutes(ground, directory),
    ...operationRoutes(ground, directory, lanes, open),
    ...senderRoutes(ground, directory),
    ...resourceRoutes(ground, directory),
    ...templateRoutes(ground, directory),
    ...contentRoutes(ground),
    ...contentLifecycleRoutes(ground, unresolvedNames),
    ...contentVersionRoutes(ground),
    ...contentPreviewRoutes(ground),
    ...contentSourceRoutes(ground, lanes, deps.send, woken),
    ...connectorRoutes(ground, directory),
    ...profileRoutes(ground),
    ...subscriptionRoutes(ground, directory),
    ...suppressionRoutes(ground, directory),
    ...sendingRulesRoutes(ground, directory),
    ...eventRoutes(ground, directory),
    ...reportRoutes(ground, directory),
    ...laneRoutes(ground, woken),
    ...operatorEventRoutes(ground),
    ...webhookRoutes(ground, woken),
    ...accountRoutes(ground),
    ...sessionRoutes(sessions, deps.external),
    ...meRoutes(ground, sessions),
    ...userRoutes(ground, tokens, passwords),
    ...tokenRoutes(ground, tokens),
    ...auditRoutes(ground),
  ]);
}
