/**
 * JSON values as XML and back (channel format, section 6): one top key is the root, an object key is an element, an
 * array is a repeated element, `-name` is an attribute, `#text` is text. Built texts carry no XML declaration: they
 * are UTF-8, which is what XML is without one.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { Failure } from '../errors.ts';
import { toText } from '../expression/text.ts';
import { isObject, setOwn } from '../json.ts';
import { placeOf } from './place.ts';
import { decodeReferences, escapeAttribute, escapeText, isXmlName } from './xml-text.ts';

/** Elements may be nested so deep, in both directions. */
export const MAX_XML_DEPTH = 64;

const TEXT = '#text';

/**
 * The XML of a template, as UTF-8. Null and empty values give an empty element, a null attribute is left out, and
 * characters that XML 1.0 cannot carry are left out. Throws PIPE_PARAMS if the template is not of that form.
 */
export function buildXml(template: unknown): Buffer {
  const keys = isObject(template) ? Object.keys(template) : [];
  const [root] = keys;
  if (!isObject(template) || root === undefined || keys.length !== 1 || Array.isArray(template[root])) {
    throw new Failure(
      'PIPE_PARAMS',
      'The template of an XML body must be an object with exactly one key, which names the root element, and its value must not be an array.',
    );
  }
  return Buffer.from(element(root, template[root], 1));
}

function element(name: string, value: unknown, depth: number): string {
  if (!isXmlName(name)) throw badName(name, 'an element');
  if (depth > MAX_XML_DEPTH) {
    throw new Failure('PIPE_PARAMS', `The XML template is nested deeper than ${MAX_XML_DEPTH} elements.`);
  }
  let attributes = '';
  let content = '';
  if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (key === TEXT) content += escapeText(plainText(member, `"${TEXT}" of <${name}>`));
      else if (key.startsWith('-')) attributes += attribute(key.slice(1), member, name);
      else content += elements(key, member, depth + 1);
    }
  } else {
    content = escapeText(plainText(value, `<${name}>`));
  }
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
}

function elements(name: string, value: unknown, depth: number): string {
  if (!Array.isArray(value)) return element(name, value, depth);
  return value.map((item) => element(name, item, depth)).join('');
}

function attribute(name: string, value: unknown, owner: string): string {
  if (!isXmlName(name)) throw badName(name, `an attribute of <${owner}>`);
  if (value === null || value === undefined) return '';
  return ` ${name}="${escapeAttribute(plainText(value, `attribute "-${name}" of <${owner}>`))}"`;
}

function plainText(value: unknown, where: string): string {
  if (Array.isArray(value) || isObject(value)) {
    throw new Failure('PIPE_PARAMS', `The value of ${where} must be a text, a number or a boolean.`);
  }
  return toText(value);
}

function badName(name: string, what: string): Failure {
  return new Failure(
    'PIPE_PARAMS',
    `${JSON.stringify(name)} cannot name ${what}: names start with a letter or "_" and go on with letters, digits, ".", "-", "_" or ":".`,
  );
}

/** Put before names while parsing, so that none of them means something to the library; no name can hold it. */
const MARK = '~';

/** Passes over comments, CDATA and instructions and stops at what is refused: DTDs, what is not closed, entities. */
const REFUSED =
  /<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|(?<markup><[!?])|(?<entity>&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\dA-Fa-f]{1,6});))/gs;

/**
 * The value of an XML text; every leaf is a string. Text beside child elements is kept where it is more than white
 * space. Throws PARSE_FAILED for what is not well-formed, and for DTDs, entities and depth over 64.
 */
export function parseXml(text: string): unknown {
  refuse(text);
  const checked = XMLValidator.validate(text);
  if (checked !== true) {
    const { line, col, code } = checked.err;
    const place = col === undefined ? `line ${line}` : `line ${line}, column ${col}`;
    throw new Failure('PARSE_FAILED', `The body is not well-formed XML: ${reasonOf(code)} at ${place}.`);
  }
  const root: Record<string, unknown> = {};
  for (const node of parseOrdered(text)) {
    const name = elementName(node);
    if (name !== undefined) setOwn(root, name.slice(name.lastIndexOf(MARK) + 1), nodeValue(node, name, 1));
  }
  return root;
}

function refuse(text: string): void {
  for (const found of text.matchAll(REFUSED)) {
    const { markup, entity } = found.groups ?? {};
    if (markup === undefined && entity === undefined) continue;
    const reason = entity === undefined ? 'a DTD or unclosed markup' : 'an entity that is not predefined';
    throw new Failure(
      'PARSE_FAILED',
      `The body is not acceptable XML: ${reason} at ${placeOf(text, found.index)}.`,
    );
  }
}

function reasonOf(code: string): string {
  if (code === 'InvalidTag') return 'a tag is wrong or not closed';
  if (code === 'InvalidAttr') return 'an attribute is wrong';
  if (code === 'InvalidChar') return 'a character cannot stand there';
  return 'it does not have exactly one complete root element';
}

/** A node as the library gives it: one member named by the element or `#text`, and `:@` with the attributes. */
type OrderedNode = Readonly<Record<string, unknown>>;

function parseOrdered(text: string): readonly OrderedNode[] {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '-',
    textNodeName: TEXT,
    parseTagValue: false,
    trimValues: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    jPath: false,
    maxNestedTags: Number.POSITIVE_INFINITY,
    transformTagName: (name) => MARK + name,
    entityDecoder: {
      setExternalEntities: () => {},
      addInputEntities: () => {},
      reset: () => {},
      setXmlVersion: () => {},
      decode: decodeReferences,
    },
  });
  try {
    return parser.parse(text) as readonly OrderedNode[];
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    // The library's message may quote the body, which may hold secrets: it stays out, and out of `cause` too.
    throw new Failure('PARSE_FAILED', 'The body is not well-formed XML; its tags could not be matched.');
  }
}

function elementName(node: OrderedNode): string | undefined {
  return Object.keys(node).find((key) => key.startsWith(MARK));
}

function nodeValue(node: OrderedNode, name: string, depth: number): unknown {
  if (depth > MAX_XML_DEPTH) {
    throw new Failure('PARSE_FAILED', `The XML of the body is nested deeper than ${MAX_XML_DEPTH} elements.`);
  }
  const value: Record<string, unknown> = {};
  const attributes = node[':@'];
  if (isObject(attributes)) for (const [key, text] of Object.entries(attributes)) setOwn(value, key, text);
  let text = '';
  let nested = false;
  for (const child of node[name] as readonly OrderedNode[]) {
    const childName = elementName(child);
    if (childName === undefined) text += String(child[TEXT] ?? '');
    else {
      nested = true;
      append(value, childName.slice(childName.lastIndexOf(MARK) + 1), nodeValue(child, childName, depth + 1));
    }
  }
  if (!nested && Object.keys(value).length === 0) return text;
  if (nested ? text.trim() !== '' : text !== '') value[TEXT] = text;
  return value;
}

function append(target: Record<string, unknown>, name: string, value: unknown): void {
  const before = Object.hasOwn(target, name) ? target[name] : undefined;
  if (before === undefined) setOwn(target, name, value);
  else if (Array.isArray(before)) before.push(value);
  else setOwn(target, name, [before, value]);
}
