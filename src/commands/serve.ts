/** `sluiceway serve`: runs until it is told to end; SIGTERM and SIGINT drain. */
import { startApp } from '../app.ts';
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';

/** Characters; a token that is made has more. */
const SHORT_TOKEN = 16;

export async function serveCommand(args: readonly string[], context: CommandContext): Promise<number> {
  readArguments('serve', args);
  const config = readConfig(context.environment);
  const log = createLog(config.logLevel);
  const app = await startApp(config, log);
  if (config.databaseUrl === undefined) {
    log.warn(
      { folder: config.dataFolder },
      'embedded database: survives a killed process, but not a power cut; set DATABASE_URL for a server that does',
    );
  }
  if (config.adminToken !== undefined && config.adminToken.length < SHORT_TOKEN) {
    log.warn(
      {},
      `SLUICEWAY_ADMIN_TOKEN has fewer than ${SHORT_TOKEN} characters and may be guessed; make one with: openssl rand -hex 32`,
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
