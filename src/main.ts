#!/usr/bin/env node
/** Process entry; the only file that ends the process. */
import { runCli } from './cli.ts';
import { Failure } from './errors.ts';

try {
  process.exitCode = await runCli(process.argv.slice(2), process.env, process.stdout);
} catch (thrown) {
  if (!(thrown instanceof Failure)) throw thrown;
  process.stderr.write(`sluiceway: ${thrown.message}\n`);
  process.exit(1);
}
