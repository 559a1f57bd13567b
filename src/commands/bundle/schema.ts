/** The schema of a bundle. What routes of the API take as it stands has the schema of its route. */
import { anything, dictionary, list, record, text, whole } from '../../channel/schema/words.ts';
import { connectorMembers } from '../../http/routes/connectors.ts';
import { senderRulesSchema } from '../../http/routes/sender-rules.ts';
import { sendingRulesSchema } from '../../http/routes/sending-rules.ts';
import { webhookMembers } from '../../http/routes/webhooks.ts';
import { type JsonObject, own } from '../../json.ts';
import { REFERENCE } from './references.ts';

const sid = (of: string) =>
  text(`The sid of the ${of}: lower-case letters, digits and underscores.`, {
    pattern: '^[a-z][a-z0-9_]{1,62}$',
  });
const named = (of: string) => text(`The name of the ${of}, for people.`, { minLength: 1, maxLength: 255 });
const values = (of: string) =>
  dictionary(`Values of the ${of} fields. A secret stands as { "$ref": "env:NAME" }.`);
const orReference = (schema: JsonObject): JsonObject => ({ anyOf: [schema, REFERENCE] });
/** No schema: its message would show what was given. */
const secret = (of: string) => anything(`The ${of}, as { "$ref": "env:NAME" }.`);

/** The schema of a bundle; channel documents have a schema of their own. */
export const bundleSchema = (): JsonObject =>
  record(
    'A bundle.',
    {
      $schema: text('Where editors find the schema.'),
      sluiceway: whole('The version of the format of bundles.', { enum: [1] }),
      channels: list('Channel documents.', { ...anything('A channel document.'), type: 'object' }),
      senders: list('Senders.', sender()),
      resources: list('Resources.', resource()),
      templates: list('Templates.', template()),
      connectors: list('Databases for sql_pipe.', connector()),
      providerConfigs: list(
        "The account's own settings of channels.",
        record('Settings of one channel.', { channel: sid('channel'), fields: values('account') }, [
          'channel',
          'fields',
        ]),
      ),
      senderRules: list(
        'Sender rules.',
        record(
          'All rules of one channel.',
          { channel: sid('channel'), rules: own(senderRulesSchema.properties, 'rules') as JsonObject },
          ['channel', 'rules'],
        ),
      ),
      sendingRules: sendingRulesSchema,
      webhooks: list('Webhooks.', webhook()),
    },
    ['sluiceway'],
  );

const sender = () =>
  record(
    'A sender.',
    { sid: sid('sender'), name: named('sender'), channel: sid('channel'), fields: values('sender') },
    ['sid', 'name', 'channel'],
  );

const resource = () =>
  record(
    'A resource.',
    {
      sid: sid('resource'),
      name: named('resource'),
      channels: dictionary('By channel sid.', record('The values.', { fields: values('resource') })),
    },
    ['sid', 'name'],
  );

const template = () =>
  record(
    'A template.',
    {
      sid: sid('template'),
      name: named('template'),
      channel: sid('channel'),
      values: values('template'),
    },
    ['sid', 'name', 'channel', 'values'],
  );

const connector = () => {
  const { host, database, user } = connectorMembers;
  const references = { host: orReference(host), database: orReference(database), user: orReference(user) };
  return record('A connector.', { ...connectorMembers, ...references, password: secret('password') }, [
    'sid',
    'name',
    'kind',
    'host',
    'database',
    'user',
  ]);
};

const webhook = () =>
  record(
    'A webhook.',
    { ...webhookMembers, url: orReference(webhookMembers.url), secret: secret('secret that signs') },
    ['url', 'events'],
  );
