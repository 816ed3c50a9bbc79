import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { memoryTree, type FileTree } from '../../manifest/index.ts';
import { milliseconds, seconds } from '../../std/index.ts';
import { createRenderWorkers, loadChart, packageChart, renderInWorker } from '../index.ts';

const release = { name: 'r', namespace: 'n' };
const ENDLESS = '{{ range until 10000 }}{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}{{ end }}';

function chart(notes: string): FileTree {
  return memoryTree({
    'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\n',
    'templates/NOTES.txt': notes,
    'templates/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n',
  });
}

describe('render workers', () => {
  const workers = createRenderWorkers({ memory: 128 });
  after(() => workers.close());
  const deadline = seconds(20);

  it('render folders and packages', async () => {
    const packed = packageChart(loadChart(chart('{{ .Release.Name }} {{ .Values.x }}'))).bytes;
    for (const source of [chart('{{ .Release.Name }} {{ .Values.x }}'), packed]) {
      const { notes, manifests, recordedChart } = await workers.render(source, { release, values: { x: 12n }, record: true, deadline });
      assert.equal(notes, 'r 12');
      assert.equal(manifests[0]?.head.kind, 'ConfigMap');
      assert.equal(Array.isArray(recordedChart?.['templates']), true);
    }
  });

  it('pass errors on with their codes', async () => {
    await assert.rejects(workers.render(chart('{{ fail "no" }}'), { release, deadline }), {
      code: 'RenderFailed',
      message: 'execution error at (demo/templates/NOTES.txt:1:3): no',
    });
  });

  it('end at the deadline, and render the next chart', async () => {
    const start = performance.now();
    await assert.rejects(workers.render(chart(ENDLESS), { release, deadline: milliseconds(300) }), { code: 'DeadlineExceeded' });
    assert.ok(performance.now() - start < 1000);
    assert.equal((await workers.render(chart('next'), { release, deadline })).notes, 'next');
  });

  it('end when cancelled', async () => {
    await assert.rejects(workers.render(chart(ENDLESS), { release, deadline, signal: AbortSignal.timeout(100) }), { code: 'Cancelled' });
  });

  it('end when a chart takes too much memory', async () => {
    const hungry =
      '{{ $l := dict }}{{ range until 1000000 }}{{ $_ := set $l (toString .) (list . . . . . . . . (dict "a" . "b" .)) }}{{ end }}';
    await assert.rejects(workers.render(chart(hungry), { release, deadline }), {
      code: 'WorkerFailed',
      message: 'render chart: needs more than 128 MiB of memory',
    });
    assert.equal((await workers.render(chart('next'), { release, deadline })).notes, 'next');
  });

  it('wait for a place no longer than the deadline', async () => {
    const busy = assert.rejects(workers.render(chart(ENDLESS), { release, deadline: milliseconds(800) }), { code: 'DeadlineExceeded' });
    await assert.rejects(workers.render(chart('x'), { release, deadline: milliseconds(200) }), { code: 'DeadlineExceeded' });
    await busy;
  });

  it('ask the caller for cluster objects and post-rendering', async () => {
    const rendered = await workers.render(chart('{{ (lookup "v1" "Secret" "ns" "s").data.k }}'), {
      release,
      deadline,
      lookup: async (...args) => await Promise.resolve({ data: { k: args.join('/') } }),
      postRender: { run: async (text) => await Promise.resolve(text.replace('name: x', 'name: changed')) },
    });
    assert.equal(rendered.notes, 'v1/Secret/ns/s');
    assert.equal(rendered.manifests[0]?.head.name, 'changed');
    const refused = (): Promise<never> => Promise.reject(new Error('forbidden'));
    await assert.rejects(workers.render(chart('{{ lookup "v1" "Pod" "" "" }}'), { release, deadline, lookup: refused }), {
      code: 'RenderFailed',
      message: /error calling lookup: forbidden$/,
    });
  });
});

describe('renderInWorker', () => {
  it('renders one chart and stops its thread', async () => {
    assert.equal((await renderInWorker(chart('one'), { release, deadline: seconds(20) })).notes, 'one');
  });
});
