import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drawPipelines } from '../../src/commands/mermaid.ts';
import { failureOfCommand, runCommand } from './run.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

describe('sluiceway graph', () => {
  it('draws pipes with id and type, and exits with their conditions', async () => {
    const { code, output } = await runCommand(['graph', join(EXAMPLES, 'example_board')]);
    expect(code).toBe(0);
    expect(output.split('\n')).toEqual([
      'flowchart TD',
      '  subgraph p1 ["message"]',
      '    p1_1(["1 pack"])',
      '    p1_2["2 http_request"]',
      '    p1_3["3 event"]',
      '    p1_4["4 selector"]',
      '    p1_5["5 event"]',
      '    p1_6["6 error"]',
      '    p1_1 -->|"success"| p1_2',
      '    p1_2 -->|"success"| p1_3',
      '    p1_2 -->|"error"| p1_4',
      '    p1_4 -->|"#36;error.kind = #39;client#39; #38;#38; #36;error.code #33;= 401 #38;#38; #36;error.code …"| p1_5',
      '    p1_4 -->|"success"| p1_6',
      '  end',
      '',
    ]);
  });

  it('draws one pipeline of a channel by its sid', async () => {
    const environment = { SLUICEWAY_CHANNELS: EXAMPLES };
    const { output } = await runCommand(['graph', 'example_sms', '--pipeline', 'listener'], environment);
    expect(output).toContain('subgraph p1 ["listener"]');
    expect(output).toContain('p1_3 -->|"each"| p1_4');
    expect(output).toContain('p1_4 -->|"#36;in.report.status = #39;delivered#39;"| p1_5');
    expect(output).not.toContain('p2_');
  });

  it('draws what is handed to the Schedule pipeline', () => {
    const scheduled = { id: 7, type: 'scheduled', params: { pipe_id: 3 } };
    const drawn = drawPipelines([
      { name: 'message', pipeline: [scheduled] },
      { name: 'schedule', pipeline: [{ id: 3, type: 'log' }] },
    ]);
    expect(drawn).toContain('  p1_7 -.->|"later"| p2_3\n');
    expect(drawPipelines([{ name: 'message', pipeline: [scheduled] }])).not.toContain('later');
  });

  it('lets nothing that an author wrote become syntax', () => {
    const hostile = 'x"] --> y\n  end\n  click p1_1 "javascript:alert(1)" <script>`&amp;`</script> %% #quot;';
    const drawn = drawPipelines([
      {
        name: hostile,
        pipeline: [
          {
            id: 1,
            type: 'selector',
            note: hostile,
            params: { outs: [{ query: hostile, out: 1 }] },
          },
        ],
      },
    ]);
    // Every label is one text in quotes, and holds nothing that could end it.
    const label = /"[\p{L}\p{N} .,:/…_=#;]*(<br\/>[\p{L}\p{N} .,:/…_=#;]*)?"/gu;
    expect(drawn.replaceAll(label, 'L')).toBe(
      'flowchart TD\n  subgraph p1 [L]\n    p1_1([L])\n    p1_1 -->|L| p1_1\n  end\n',
    );
  });

  it('says which pipelines and channels there are', async () => {
    const board = join(EXAMPLES, 'example_board');
    expect(await failureOfCommand(['graph', board, '--pipeline', 'mesage'])).toContain(
      'has no pipeline "mesage"; it has: "message". Did you mean "message"?',
    );
    expect(await failureOfCommand(['graph', 'example_smss'], { SLUICEWAY_CHANNELS: EXAMPLES })).toContain(
      'Did you mean "example_sms"?',
    );
    expect(await failureOfCommand(['graph', EXAMPLES])).toContain('holds 2 channels; name the folder of one');
    expect(await failureOfCommand(['graph', './nowhere'])).toContain('no file or folder "./nowhere"');
  });

  it('names the place of every error of a channel that is wrong', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluiceway-graph-'));
    try {
      const file = join(folder, 'channel.json');
      await writeFile(file, '{ "sid": "acme",\n  "nam": "Acme" }');
      expect(await failureOfCommand(['graph', file])).toMatch(/channel\.json:2:3 .*Did you mean "name"\?/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
