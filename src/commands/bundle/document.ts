/** What a bundle is: the channels, senders, resources and templates of an account, with secrets as references. */
import { anything, dictionary, list, record, text, whole } from '../../channel/schema/words.ts';
import type { SourceText } from '../../channel/source-text.ts';
import type { JsonObject } from '../../json.ts';

export interface SenderMember {
  readonly sid: string;
  readonly name: string;
  readonly channel: string;
  readonly fields?: JsonObject;
}

export interface ResourceMember {
  readonly sid: string;
  readonly name: string;
  readonly channels?: { readonly [channel: string]: { readonly fields?: JsonObject } };
}

export interface TemplateMember {
  readonly sid: string;
  readonly name: string;
  readonly channel: string;
  readonly values: JsonObject;
}

/** A channel of a bundle, and where its named pipelines are. */
export interface BundleChannel {
  readonly sid: string;
  readonly source: SourceText;
  readonly pipelines: (name: string) => { readonly file: string; readonly text: string } | undefined;
}

export interface Bundle {
  readonly channels: readonly BundleChannel[];
  readonly senders: readonly SenderMember[];
  readonly resources: readonly ResourceMember[];
  readonly templates: readonly TemplateMember[];
}

/** A bundle as it stands in a file. */
export interface BundleDocument {
  readonly sluiceway: 1;
  readonly channels?: readonly JsonObject[];
  readonly senders?: readonly SenderMember[];
  readonly resources?: readonly ResourceMember[];
  readonly templates?: readonly TemplateMember[];
}

const sid = (of: string) =>
  text(`The sid of the ${of}: lower-case letters, digits and underscores.`, {
    pattern: '^[a-z][a-z0-9_]{1,62}$',
  });
const named = (of: string) => text(`The name of the ${of}, for people.`, { minLength: 1, maxLength: 255 });
const values = (of: string) =>
  dictionary(`Values of the ${of} fields. A secret stands as { "$ref": "env:NAME" }.`);

/** The schema of a bundle; channel documents have a schema of their own. */
export const bundleSchema = (): JsonObject =>
  record(
    'A bundle.',
    {
      $schema: text('Where editors find the schema.'),
      sluiceway: whole('The version of the format of bundles.', { enum: [1] }),
      channels: list('Channel documents.', { ...anything('A channel document.'), type: 'object' }),
      senders: list(
        'Senders.',
        record(
          'A sender.',
          { sid: sid('sender'), name: named('sender'), channel: sid('channel'), fields: values('sender') },
          ['sid', 'name', 'channel'],
        ),
      ),
      resources: list(
        'Resources.',
        record(
          'A resource.',
          {
            sid: sid('resource'),
            name: named('resource'),
            channels: dictionary('By channel sid.', record('The values.', { fields: values('resource') })),
          },
          ['sid', 'name'],
        ),
      ),
      templates: list(
        'Templates.',
        record(
          'A template.',
          {
            sid: sid('template'),
            name: named('template'),
            channel: sid('channel'),
            values: values('template'),
          },
          ['sid', 'name', 'channel', 'values'],
        ),
      ),
    },
    ['sluiceway'],
  );
