/** `sluiceway serve`: runs until it is told to end; SIGTERM and SIGINT drain. */
import { startApp } from '../app.ts';
import type { CommandContext } from '../cli.ts';
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { readArguments } from './arguments.ts';

export async function serveCommand(args: readonly string[], context: CommandContext): Promise<number> {
  readArguments('serve', args);
  const config = readConfig(context.environment);
  const log = createLog(config.logLevel);
  const app = await startApp(config, log);
  for (const problem of app.channelProblems) log.error({}, problem);
  if (config.databaseUrl === undefined) {
    log.warn(
      { folder: config.dataFolder },
      'embedded database: survives a killed process, but not a power cut; set DATABASE_URL for a server that does',
    );
  }
  if (app.madeToken !== undefined) {
    context.stdout.write(`Admin token, shown this once: ${app.madeToken}\n`);
  }
  context.stdout.write(`Sluiceway listens on ${app.url}\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  log.info({}, 'draining');
  await app.stop();
  return 0;
}
