/** The thread that owns PGlite. It answers one request after another, in order. */
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PLANNING } from './database.ts';

interface Request {
  readonly id: number;
  readonly kind: 'query' | 'script' | 'close';
  readonly text: string;
  readonly values: unknown[];
}

const INT8 = 20;
const { folder, image } = workerData as { folder?: string; image?: string };
const database = await PGlite.create({
  ...(folder !== undefined && { dataDir: folder }),
  ...(image !== undefined && { loadDataDir: new Blob([await readFile(image)]) }),
  parsers: { [INT8]: Number },
});
for (const [name, value] of Object.entries(PLANNING)) await database.exec(`set ${name} = ${value}`);

async function answer(request: Request): Promise<unknown[]> {
  if (request.kind === 'query') return (await database.query(request.text, request.values)).rows;
  if (request.kind === 'script') await database.exec(request.text);
  else await database.close();
  return [];
}

parentPort?.on('message', (request: Request) => {
  answer(request).then(
    (rows) => parentPort?.postMessage({ id: request.id, rows }),
    (error: Error & { code?: string; detail?: string }) =>
      parentPort?.postMessage({
        id: request.id,
        error: { message: error.message, code: error.code, detail: error.detail },
      }),
  );
});
