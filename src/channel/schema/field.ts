/** The schemas of the elements of a form: data fields, entity fields and layout (channel format, section 3.2). */
import type { JsonObject } from '../../json.ts';
import { FIELD_TYPES, type FieldType } from '../document.ts';
import { amount, anything, choice, flag, list, record, text, whole } from './words.ts';

/** Names that templates can write: `$template.<name>`. */
const FIELD_NAME = '^[A-Za-z][A-Za-z0-9_]{0,62}$';

/** The settings of a data field and the types that use them; a setting that is not listed suits every type. */
export const SETTING_TYPES: Readonly<Record<string, readonly FieldType[]>> = Object.freeze({
  min: ['int', 'number'],
  max: ['int', 'number'],
  min_length: ['string', 'text', 'html', 'url'],
  max_length: ['string', 'text', 'html', 'url'],
  pattern: ['string', 'text', 'html', 'url'],
  options: ['enum'],
  accept: ['file'],
  max_size: ['file'],
  liquid: ['string', 'text', 'html', 'json'],
  entity: ['entity'],
});

const DATA_TYPES = FIELD_TYPES.filter((type) => type !== 'entity');

const NAME = {
  field: text('The name under which templates read the value: letters, digits and _.', {
    pattern: FIELD_NAME,
  }),
};

const SETTINGS: { readonly [name: string]: JsonObject } = {
  required: flag('A value must be given.', { default: false }),
  default: anything('The value where none is given.'),
  hint: text('A sentence shown beside the input.'),
  placeholder: text('An example shown inside the empty input.'),
  min: amount('int and number: the least value.'),
  max: amount('int and number: the greatest value.'),
  min_length: whole('string, text, html and url: the fewest characters.', { minimum: 0 }),
  max_length: whole('string, text, html and url: the most characters.', { minimum: 0 }),
  pattern: text('string, text, html and url: a regular expression that must be found in the value.'),
  options: list(
    'enum: the values to choose from.',
    record(
      'One value.',
      {
        value: { type: ['string', 'number'], description: 'What is stored.' },
        label: text('What the form shows.'),
      },
      ['value', 'label'],
    ),
    { minItems: 1 },
  ),
  multiple: flag('The value is a list of such values.', { default: false }),
  accept: text('file: the accepted types, such as "image/*,.pdf".'),
  max_size: whole('file: the most bytes.', { minimum: 1 }),
  secret: flag('Encrypted where it is kept, and never shown again.', { default: false }),
  liquid: flag('string, text, html and json in "template": the value is rendered per message by Liquid.', {
    default: true,
  }),
};

/** A field that holds a value. */
export const dataField = (): JsonObject =>
  record(
    'A field that holds a value.',
    {
      ...NAME,
      type: choice('The type of the value.', DATA_TYPES),
      name: text('The label.', { minLength: 1 }),
      ...SETTINGS,
    },
    ['field', 'type', 'name'],
  );

/** A field that holds a whole record of an entity. */
export const entityField = (): JsonObject =>
  record(
    'A field whose value is picked from the records of an entity; it takes a whole row.',
    {
      ...NAME,
      type: choice('An entity field.', ['entity']),
      name: text('The label. Default: the name of the entity.'),
      entity: text('The sid of the entity.'),
      multiple: SETTINGS.multiple ?? {},
      required: SETTINGS.required ?? {},
      hint: SETTINGS.hint ?? {},
    },
    ['field', 'type', 'entity'],
  );

/** An element that stores nothing. */
export const layoutElement = (): JsonObject =>
  record(
    'An element of the form that stores nothing.',
    {
      type: choice('What is drawn.', ['header', 'message', 'divider']),
      text: text('The text of a header or message.'),
    },
    ['type'],
  );

/** One row of a form: an element, or 1 to 4 of them side by side. */
export const fieldRow = (): JsonObject => {
  const element = { anyOf: [dataField(), entityField(), layoutElement()] };
  return {
    description: 'A row: one element, or 1 to 4 side by side.',
    anyOf: [
      ...element.anyOf,
      { type: 'array', minItems: 1, maxItems: 4, items: { anyOf: [dataField(), layoutElement()] } },
    ],
  };
};
