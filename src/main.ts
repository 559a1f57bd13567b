#!/usr/bin/env node
/** Process entry; the only file that ends the process. */
import { runCli } from './cli.ts';
import { failureText } from './commands/failure-text.ts';
import { Failure } from './errors.ts';

// Anyone who reads what we write may stop reading, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  process.exitCode = await runCli(process.argv.slice(2), process.env, process.stdout);
  // A server has closed all it had. What a library still holds, such as a connection that came up while it was closing,
  // must not keep the process from ending.
  if (process.argv[2] === 'serve') process.exit();
} catch (thrown) {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const sentence =
    thrown instanceof Failure ? failureText(thrown) : `Something went wrong inside Sluiceway: ${reason}`;
  process.stderr.write(`sluiceway: ${sentence}\n`);
  process.exit(1);
}
