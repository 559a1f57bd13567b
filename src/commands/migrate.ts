/** `sluiceway migrate`: brings the database of the settings to the schema of this program. */
import { connectDatabase } from '../app.ts';
import { readConfig } from '../config.ts';
import { readClock } from '../storage/clock.ts';
import { makePartitions, migrate } from '../storage/migrate.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';

export async function runMigrate(args: readonly string[], context: CommandContext): Promise<number> {
  const { options } = readArguments('migrate', args);
  const config = readConfig(context.environment);
  const database = await connectDatabase(config);
  try {
    const applied = await migrate(database);
    await makePartitions(database, await readClock(database));
    const where =
      config.databaseUrl === undefined ? `embedded database in ${config.dataFolder}` : 'database server';
    const what =
      applied === 0
        ? 'the schema is that of this program already'
        : `${applied} ${applied === 1 ? 'migration was' : 'migrations were'} applied`;
    context.stdout.write(options.json ? `${JSON.stringify({ applied }, null, 2)}\n` : `${where}: ${what}\n`);
    return 0;
  } finally {
    await database.close();
  }
}
