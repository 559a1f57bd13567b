import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli.ts';
import { ROOT } from '../support/engine.ts';
import { failureOfCommand, runCommand } from './run.ts';

async function runProcess(...args: string[]): Promise<{ code: number | null; errors: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...args], {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const errors = await text(child.stderr);
  return { code: await ended, errors };
}

describe('the command line', () => {
  it('lists every command, and every option of one', async () => {
    const { code, output } = await runCommand(['help']);
    expect(code).toBe(0);
    for (const name of COMMANDS.keys()) expect(output).toContain(`\n  ${name} `);
    const one = await runCommand(['dry-run', '--help']);
    expect(one.code).toBe(0);
    expect(one.output).toContain('sluiceway dry-run <channel> --message <file.json> [--answers <file.json>]');
    expect(one.output).toMatch(/--pipeline <name> +message, .* Default: message\.\n/);
  });

  it('loads what every name promises', async () => {
    for (const { load } of COMMANDS.values()) expect(await load()).toBeTypeOf('function');
  });

  it('knows near names of commands, in one word and in two', async () => {
    expect(await runCommand(['grahp'])).toMatchObject({
      code: 1,
      output: expect.stringContaining('There is no command "grahp". Did you mean "graph"?'),
    });
    expect((await runCommand(['token', 'creat'])).output).toContain('It goes on: token create.');
    expect((await runCommand(['key', 'rotate'])).output).toContain('Did you mean "keys rotate"?');
    expect((await runCommand([])).code).toBe(1);
  });

  it('says what is wrong with options in sentences', async () => {
    expect(await failureOfCommand(['dry-run', 'x', '--mesage', 'm.json'])).toMatch(
      /^"dry-run" has no option "--mesage"\. Did you mean "--message"\? Use: sluiceway dry-run /,
    );
    expect(await failureOfCommand(['dry-run', 'x', '--message', '--live'])).toMatch(
      /^The option "--message" needs a value: --message <file\.json>\./,
    );
    expect(await failureOfCommand(['dry-run', 'x', '--message=m', '--live=yes'])).toMatch(
      /^The option "--live" takes no value\./,
    );
    expect(await failureOfCommand(['dry-run', 'x'])).toMatch(
      /^"dry-run" needs the option --message <file\.json>\./,
    );
    expect(await failureOfCommand(['graph'])).toMatch(/^"graph" needs <channel>\./);
    expect(await failureOfCommand(['graph', 'a', 'b'])).toMatch(
      /^"graph" does not know what to do with "b"\./,
    );
    expect(await failureOfCommand(['check', '-j'])).toMatch(/^"check" has no option "-j"\./);
    expect(await failureOfCommand(['import', 'profile', 'a.csv', '--token', 't'])).toMatch(
      /^What is imported is one of profiles, subscriptions, suppressions, not "profile"\. Did you mean "profiles"\?/,
    );
  });

  it('answers a failure in JSON where it was asked to', async () => {
    const { code, output } = await runCommand(['graph', 'no_such_channel', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      problem: {
        code: 'NOT_FOUND',
        status: 404,
        detail: expect.stringContaining('no channel "no_such_channel"'),
      },
    });
  });

  it('ends a process with code 1 and a sentence, never with a stack', async () => {
    const { code, errors } = await runProcess('plan', 'nowhere.json', '--token', 't');
    expect(code).toBe(1);
    expect(errors).toBe('sluiceway: There is no bundle or folder "nowhere.json".\n');
  });
});
