import { expect, test } from 'vitest';
import { pipeOf, pipes, pipeTypes, planPipeOf } from '../../src/pipes/catalog.ts';

test('every type of the channel format is there, once', () => {
  expect([...pipeTypes].sort()).toEqual(
    [
      'pack',
      'unpack',
      'http_request',
      'store_set',
      'store_get',
      'selector',
      'event',
      'scheduled',
      'log',
      'sql_pipe',
      'result',
      'error',
      'transform',
      'split',
    ].sort(),
  );
});

test('types and older names lead to the same pipe', () => {
  expect(pipeOf('packer')).toBe(pipeOf('pack'));
  expect(pipeOf('unpacker')).toBe(pipeOf('unpack'));
  expect(pipeOf('http_requester')).toBe(pipeOf('http_request'));
  expect(pipeOf('eventer')).toBe(pipeOf('event'));
  for (const pipe of pipes) expect(pipeOf(pipe.type)).toBe(pipe);
});

test('a name of the prototype is no type', () => {
  expect(pipeOf('constructor')).toBeUndefined();
  expect(pipeOf('')).toBeUndefined();
});

test('the pipe of built-in channels is for plans only: no author can write it', () => {
  expect(planPipeOf('module')?.type).toBe('module');
  expect(pipeOf('module')).toBeUndefined();
  for (const pipe of pipes) expect(planPipeOf(pipe.type)).toBe(pipe);
});
