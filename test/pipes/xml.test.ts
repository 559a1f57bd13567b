import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { own } from '../../src/json.ts';
import { buildXml, MAX_XML_DEPTH, parseXml } from '../../src/pipes/xml.ts';

const built = (template: unknown) => buildXml(template).toString();

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown.code;
    throw thrown;
  }
  return 'no failure';
}

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown.message;
    throw thrown;
  }
  return '';
}

describe('building', () => {
  test('elements, attributes, text and repetition', () => {
    const template = { a: { '-id': 1, '#text': 'x', b: ['1', { '-n': true }], c: null } };
    expect(built(template)).toBe('<a id="1">x<b>1</b><b n="true"/><c/></a>');
  });

  test('namespaces are ordinary names', () => {
    expect(built({ 'soap:Envelope': { '-xmlns:soap': 'urn:s', 'soap:Body': 'x' } })).toBe(
      '<soap:Envelope xmlns:soap="urn:s"><soap:Body>x</soap:Body></soap:Envelope>',
    );
  });

  test.each([
    ['a list', []],
    ['a text', 'a'],
    ['no key', {}],
    ['two keys', { a: 1, b: 2 }],
    ['a repeated root', { a: [1, 2] }],
    ['a name with a space', { 'a b': 1 }],
    ['a name that closes its tag', { 'a><b': 1 }],
    ['a name that begins with a digit', { a: { '1b': 1 } }],
    ['an attribute name with a quote', { a: { '-b"': 1 } }],
    ['an attribute that is an object', { a: { '-b': {} } }],
    ['text that is a list', { a: { '#text': [1] } }],
    ['a list in a list', { a: { b: [[1]] } }],
  ])('%s is refused', (_name, template) => {
    expect(codeOf(() => buildXml(template))).toBe('PIPE_PARAMS');
  });

  test('what XML cannot carry is left out, the rest survives', () => {
    expect(built({ a: 'x\u0000\u000b\ud800y\ufffe😀\u2028' })).toBe('<a>xy😀\u2028</a>');
  });

  test('line breaks survive in attributes and a carriage return in text', () => {
    const value = { a: { '-b': '1\r\n\t2', '#text': '3\r\n4' } };
    expect(parseXml(built(value))).toEqual(value);
  });
});

describe('parsing', () => {
  test('an answer with declaration, comment, CDATA and instructions', () => {
    const text = `<?xml version="1.0" encoding="utf-8"?>
      <!-- <a> & &b; --><r id='7'>
        <?x y?><m>1 <![CDATA[<2> & &b;]]></m><m/>
        <n k="a&#10;b"> 03 </n>
      </r>`;
    expect(parseXml(text)).toEqual({
      r: { '-id': '7', m: ['1 <2> & &b;', ''], n: { '-k': 'a\nb', '#text': ' 03 ' } },
    });
  });

  test('references to characters and the five entities', () => {
    expect(parseXml('<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;&amp;lt;</a>')).toEqual({
      a: '<>&"\'A😀&lt;',
    });
  });

  test.each([
    ['a DTD', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'],
    ['an entity bomb', '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['an unknown entity in an attribute', '<a b="&c;"/>'],
    ['a bare ampersand', '<a>b & c</a>'],
    ['a reference to NUL', '<a>&#0;</a>'],
    ['a reference to a surrogate', '<a>&#xD800;</a>'],
    ['a reference beyond Unicode', '<a>&#x110000;</a>'],
    ['nothing', ''],
    ['text', 'hello'],
    ['JSON', '{"a":1}'],
    ['an open element', '<a><b></a>'],
    ['two roots', '<a></a><b></b>'],
    ['text behind the root', '<a></a>x'],
    ['an attribute twice', '<a b="1" b="2"/>'],
    ['an attribute without quotes', '<a b=1/>'],
    ['an open comment', '<a><!-- </a>'],
    ['an open CDATA', '<a><![CDATA[ </a>'],
    ['an open instruction', '<a><? </a>'],
  ])('%s is refused', (_name, text) => {
    expect(codeOf(() => parseXml(text))).toBe('PARSE_FAILED');
  });

  test('the sentence names the place and quotes nothing', () => {
    const message = messageOf(() => parseXml('<a>\n  <secret>s3cret</secrte>\n</a>'));
    expect(message).toContain('line 2, column 17');
    expect(message).not.toMatch(/s3cret|secrte/);
    expect(messageOf(() => parseXml('<a>\n &s3cret;</a>'))).toContain('line 2, column 2');
  });

  test('depth ends at the limit', () => {
    const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);
    expect(codeOf(() => parseXml(nested(MAX_XML_DEPTH)))).toBe('no failure');
    expect(codeOf(() => parseXml(nested(MAX_XML_DEPTH + 1)))).toBe('PARSE_FAILED');
    expect(codeOf(() => parseXml(nested(50_000)))).toBe('PARSE_FAILED');
    expect(codeOf(() => parseXml(`${'<a>'.repeat(64)}<b/>${'</a>'.repeat(64)}`))).toBe('PARSE_FAILED');
    const deep = (depth: number): unknown => (depth === 0 ? 'x' : { a: deep(depth - 1) });
    expect(codeOf(() => buildXml(deep(MAX_XML_DEPTH)))).toBe('no failure');
    expect(codeOf(() => buildXml(deep(MAX_XML_DEPTH + 1)))).toBe('PIPE_PARAMS');
  });

  test('names of the prototype are ordinary names', () => {
    const text = '<r><__proto__ x="1">p</__proto__><constructor>c</constructor><toString/></r>';
    const root = own(parseXml(text), 'r');
    expect(Object.keys(root as object)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(own(root, '__proto__')).toEqual({ '-x': '1', '#text': 'p' });
    expect(Object.getPrototypeOf(root)).toBe(Object.prototype);
    expect(built(parseXml(text))).toBe(text);
  });
});

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,6}$/);
const text = fc
  .string({ unit: 'binary', maxLength: 12 })
  .map((each) => each.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, ''));

/** Values in the form that parsing gives: repeated elements are arrays of at least two, a bare text stands alone. */
const { element } = fc.letrec<{ element: unknown }>((tie) => ({
  element: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    text,
    fc
      .record({
        attributes: fc.dictionary(
          name.map((each) => `-${each}`),
          text,
          { maxKeys: 3, noNullPrototype: true },
        ),
        members: fc.dictionary(
          name,
          fc.oneof(tie('element'), fc.array(tie('element'), { minLength: 2, maxLength: 3 })),
          {
            maxKeys: 3,
            noNullPrototype: true,
          },
        ),
        beside: text.filter((each) => each.trim() !== ''),
        withText: fc.boolean(),
      })
      .map(({ attributes, members, beside, withText }) => {
        const bare = Object.keys(attributes).length + Object.keys(members).length === 0;
        if (bare) return beside;
        return { ...attributes, ...members, ...(withText && { '#text': beside }) };
      }),
  ),
}));

describe('both ways', () => {
  test('what was built is parsed to the same value', () => {
    fc.assert(
      fc.property(name, element, (root, value) => {
        expect(parseXml(built({ [root]: value }))).toEqual({ [root]: value });
      }),
    );
  });

  test('any JSON value either builds well-formed XML or is refused as a mistake of the template', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        let xml: string;
        try {
          xml = built({ root: value });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Failure);
          expect((thrown as Failure).code).toBe('PIPE_PARAMS');
          return;
        }
        expect(codeOf(() => parseXml(xml))).toBe('no failure');
      }),
    );
  });

  test('parsing any text gives a value or PARSE_FAILED', () => {
    const markup = fc.array(
      fc.constantFrom(
        '<a>',
        '</a>',
        '<b/>',
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<?',
        '?>',
        '&',
        ';',
        '"',
        "'",
        '<',
        '>',
        ' ',
        'x=',
        '#38',
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(
        markup.map((parts) => parts.join('')),
        (each) => {
          expect(['no failure', 'PARSE_FAILED']).toContain(codeOf(() => parseXml(each)));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
