/** What would become of the connectors of a bundle. */
import { connectorMembers } from '../../http/routes/connectors.ts';
import { objectSchema } from '../../http/schemas.ts';
import { isObject, type Json, own } from '../../json.ts';
import { differences } from '../../testing/compare.ts';
import { compileSchema, type Validator } from '../../validate.ts';
import type { ConnectorMember } from './document.ts';
import { entityStep, nameChange } from './entity-step.ts';
import { planSecret } from './plan-secret.ts';
import { fillIn } from './references.ts';
import type { HeldConnector } from './server-settings.ts';
import type { Planning, Step } from './step.ts';

export async function planConnectors(
  members: readonly ConnectorMember[],
  planning: Planning,
): Promise<readonly Step[]> {
  if (members.length === 0) return [];
  const held = new Map((await planning.state.connectors()).map((each) => [each.sid, each]));
  const request = compileSchema(objectSchema(connectorMembers));
  return members.map((member) => planConnector(member, held.get(member.sid), request, planning));
}

function planConnector(
  { sid, name, password, ...given }: ConnectorMember,
  held: HeldConnector | undefined,
  request: Validator,
  planning: Planning,
): Step {
  const what = `Connector ${sid}`;
  const entries = Object.entries(given).map(([key, value]): [string, Json] => [
    key,
    fillIn(value, planning.environment),
  ]);
  // What is still a reference is not known yet; the rest is checked as the server will.
  const settings = Object.fromEntries(entries);
  const known = Object.fromEntries(entries.filter(([, value]) => !isObject(value)));
  for (const { pointer, message } of request.check(known)) {
    planning.problems.push(`${what} at ${pointer}: ${message}`);
  }
  const isSet = isObject(held?.password);
  const place = { what, name: 'password', pointer: '/password', keepsSecrets: true } as const;
  const secret = planSecret({ ...place, given: password, isSet }, planning);
  const changed = Object.entries(settings).flatMap(([key, value]) =>
    differences(value, own(held, key), `/${key}`, true),
  );
  const written = { name, ...settings, ...(secret.value !== undefined && { password: secret.value }) };
  return entityStep(
    'connector',
    sid,
    held,
    [...nameChange({ name }, held), ...changed, ...secret.differences],
    {
      create: { sid, ...written },
      change: written,
    },
  );
}
