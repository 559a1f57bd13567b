/** `unpack`: parses `$in.body` into `$in.data`. */

import { parseCsv, parseForm, parseJson, parseNdjson } from './body-parse.ts';
import { bodyText } from './body-text.ts';
import { definePipe } from './contract.ts';
import { oneOf } from './params.ts';
import { parseXml } from './xml.ts';

const PARSERS = Object.freeze({
  JSON: parseJson,
  XML: parseXml,
  FORM: parseForm,
  CSV: parseCsv,
  NDJSON: parseNdjson,
});

export const unpack = definePipe({
  type: 'unpack',
  aliases: ['unpacker'],
  summary: 'Parses the bytes or text in `$in.body` and puts the value into `$in.data`.',
  params: {
    type: oneOf(
      'The format. XML by the mapping of `pack`, every leaf a text; entities, DTDs and depth over 64 are refused. FORM gives an object, repeated names an array. CSV (commas, first row names the columns) gives an array of objects, NDJSON an array of values.',
      ['JSON', 'XML', 'FORM', 'CSV', 'NDJSON'],
      { default: 'JSON' },
    ),
  },
  needs: [],
  adds: () => ({ data: 'any' }),
  errors: ['PIPE_INPUT', 'PARSE_FAILED'],
  examples: [
    {
      name: 'a JSON answer',
      params: {},
      in: { body: Buffer.from('{"id":"p-9","parts":2}') },
      expect: { exit: 'success', add: { data: { id: 'p-9', parts: 2 } } },
    },
    {
      name: 'an XML report: attributes, repeated elements, every value a text',
      params: { type: 'XML' },
      in: { body: '<?xml version="1.0"?><report id="7"><m>1</m><m>2 &amp; 3</m></report>' },
      expect: { exit: 'success', add: { data: { report: { '-id': '7', m: ['1', '2 & 3'] } } } },
    },
    {
      name: 'a form, as many providers send their reports',
      params: { type: 'FORM' },
      in: { body: Buffer.from('id=p-9&status=delivered&tag=a&tag=b') },
      expect: { exit: 'success', add: { data: { id: 'p-9', status: 'delivered', tag: ['a', 'b'] } } },
    },
    {
      name: 'a CSV file',
      params: { type: 'CSV' },
      in: { body: 'id,text\n1,"a, b"\n2,c\n' },
      expect: {
        exit: 'success',
        add: {
          data: [
            { id: '1', text: 'a, b' },
            { id: '2', text: 'c' },
          ],
        },
      },
    },
    {
      name: 'one JSON value a line',
      params: { type: 'NDJSON' },
      in: { body: '{"id":1}\n{"id":2}\n' },
      expect: { exit: 'success', add: { data: [{ id: 1 }, { id: 2 }] } },
    },
    {
      name: 'a body that is not JSON',
      params: {},
      in: { body: Buffer.from('<html>Bad gateway</html>') },
      expect: { exit: 'error', code: 'PARSE_FAILED' },
    },
    {
      name: 'XML with a DTD is refused',
      params: { type: 'XML' },
      in: { body: '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>' },
      expect: { exit: 'error', code: 'PARSE_FAILED' },
    },
    {
      name: 'no body',
      params: {},
      in: {},
      expect: { exit: 'error', code: 'PIPE_INPUT' },
    },
  ],
  run: ({ type }, context) => ({
    add: { data: PARSERS[type](bodyText(context.in.body, type === 'XML')) },
  }),
});
