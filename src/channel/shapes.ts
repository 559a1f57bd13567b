/** The checks of the parts of a channel document, each compiled at most once, when it is first needed. */
import { pipeOf } from '../pipes/catalog.ts';
import { paramsSchema } from '../pipes/params.ts';
import { channelSchema, entitySchema, eventSchema, operationSchema } from './schema/channel.ts';
import { dataField, entityField, layoutElement } from './schema/field.ts';
import { pipeShape } from './schema/pipeline.ts';
import { compileShape, type Shape } from './shape.ts';

// Inner parts are checked one by one, so that one wrong part does not hide the others.
const OPEN = Object.freeze({});

const SCHEMAS = {
  channel: () => channelSchema({ event: OPEN, row: OPEN, pipeline: OPEN, entity: OPEN }),
  event: eventSchema,
  dataField,
  entityField,
  layout: layoutElement,
  entity: () => entitySchema({ row: OPEN, operation: OPEN }),
  operation: () => operationSchema({ row: OPEN, pipeline: OPEN }),
  pipe: () => pipeShape({ type: 'string' }, { type: 'object' }),
} as const;

const compiled = new Map<string, Shape>();

function once(name: string, make: () => Shape): Shape {
  const known = compiled.get(name) ?? make();
  compiled.set(name, known);
  return known;
}

/** The check of a part. */
export function shapeOf(part: keyof typeof SCHEMAS): Shape {
  return once(part, () => compileShape(SCHEMAS[part]()));
}

/** The check of the params of a pipe type. */
export function paramsShapeOf(type: string): Shape {
  const params = pipeOf(type)?.params ?? {};
  return once(`params/${type}`, () => compileShape(paramsSchema(params)));
}
