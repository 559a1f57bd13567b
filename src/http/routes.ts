/** All routes of the API: the one place that knows each of them. */
import type { ExternalSignIn } from '../access/external-sign-in.ts';
import { createPasswords } from '../access/passwords.ts';
import { createSessions } from '../access/sessions.ts';
import type { Tokens } from '../access/tokens.ts';
import { unresolvedNames } from '../flows/directory/content-items.ts';
import type { Directory } from '../flows/directory/directory.ts';
import type { Accept } from '../flows/intake/accept-message.ts';
import type { Lanes } from '../flows/lanes/lanes.ts';
import type { Mailings } from '../flows/mailings/mailings.ts';
import type { OpenOutside } from '../flows/run/run-context.ts';
import type { Runtime } from '../flows/runtime.ts';
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
import { listenerRequestRoutes } from './routes/listener-requests.ts';
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
  readonly runtime: Runtime;
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
  readonly wakeLanes: (laneIds: readonly number[]) => void;
}

/** Makes the routes, in the order of the documentation. Making them asks nothing of `deps` yet. */
export function allRoutes(deps: RouteDeps): readonly Route[] {
  const { runtime, directory, accept, mailings, tokens, lanes, open, wakeLanes } = deps;
  const passwords = createPasswords();
  const sessions = createSessions(runtime, passwords, tokens.forget, (user) =>
    runtime.log.warn({ user }, 'a user was locked after too many wrong passwords'),
  );
  return Object.freeze([
    ...messageRoutes(runtime, directory, accept, wakeLanes),
    ...mailingRoutes(runtime, directory, mailings, accept),
    ...channelRoutes(runtime, directory, wakeLanes),
    ...channelCheckRoutes(runtime, directory),
    ...providerConfigRoutes(runtime, directory),
    ...senderRuleRoutes(runtime, directory),
    ...operationRoutes(runtime, directory, lanes, open),
    ...senderRoutes(runtime, directory),
    ...resourceRoutes(runtime, directory),
    ...templateRoutes(runtime, directory),
    ...contentRoutes(runtime),
    ...contentLifecycleRoutes(runtime, unresolvedNames),
    ...contentVersionRoutes(runtime),
    ...contentPreviewRoutes(runtime),
    ...contentSourceRoutes(runtime, lanes, deps.send, wakeLanes),
    ...connectorRoutes(runtime, directory),
    ...profileRoutes(runtime),
    ...subscriptionRoutes(runtime, directory),
    ...suppressionRoutes(runtime, directory),
    ...sendingRulesRoutes(runtime, directory),
    ...eventRoutes(runtime, directory),
    ...reportRoutes(runtime, directory),
    ...listenerRequestRoutes(runtime, directory, wakeLanes),
    ...laneRoutes(runtime, wakeLanes),
    ...operatorEventRoutes(runtime),
    ...webhookRoutes(runtime, wakeLanes),
    ...accountRoutes(runtime),
    ...sessionRoutes(sessions, deps.external),
    ...meRoutes(runtime, sessions),
    ...userRoutes(runtime, tokens, passwords),
    ...tokenRoutes(runtime, tokens),
    ...auditRoutes(runtime),
  ]);
}
