/** JSON that an argument gives: a file, or the JSON itself. */
import { readFile } from 'node:fs/promises';
import { parseSource } from '../channel/source-text.ts';
import { Failure } from '../errors.ts';
import { isObject, type JsonObject } from '../json.ts';

/** The object in a file. Throws NOT_FOUND, DOCUMENT_NOT_JSON. */
export async function readJsonFile(path: string): Promise<JsonObject> {
  return parseObject(await readText(path), `The file ${path}`);
}

/** The text of a file. Throws NOT_FOUND. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown reason';
    throw new Failure('NOT_FOUND', `The file "${path}" cannot be read (${code}); check its name and rights.`);
  }
}

/** An object given as JSON (it begins with a brace) or as the name of a file. */
export async function readJsonArgument(given: string): Promise<JsonObject> {
  return given.trimStart().startsWith('{')
    ? parseObject(given, 'The JSON of an option')
    : readJsonFile(given);
}

function parseObject(text: string, what: string): JsonObject {
  if (text.trim() === '') throw new Failure('DOCUMENT_NOT_JSON', `${what} is empty.`);
  const { value, findings } = parseSource(what, text);
  const fault = findings.find(({ severity }) => severity === 'error');
  if (fault !== undefined) {
    throw new Failure(
      'DOCUMENT_NOT_JSON',
      `${what} is wrong at ${fault.line}:${fault.column}: ${fault.message}`,
    );
  }
  if (isObject(value)) return value as JsonObject;
  throw new Failure('DOCUMENT_INVALID', `${what} must hold a JSON object: { … }.`);
}
