import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../manifest/index.ts';
import { loadChart, render, templateOutput, type PostRender } from './index.ts';

const chart = loadChart(
  memoryTree({
    'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\n',
    'templates/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n    name: a # kept\ndata: {k: v}\n',
    'templates/hook.yaml': 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: h\n  annotations: {helm.sh/hook: test}\n',
  }),
);

function run(postRender: PostRender): string {
  return templateOutput(render(chart, { release: { name: 'r', namespace: 'n' }, postRender }));
}

describe('post-rendering', () => {
  const upper = (text: string): string => text.replaceAll(/^ {2}name: /gm, '  name: x-');

  it('combined sends hooks and the rest as one stream, each with its file', () => {
    const seen: string[] = [];
    const out = run({ run: (text) => (seen.push(text), upper(text)) });
    assert.equal(
      seen.join('====\n'),
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a # kept\n  annotations:\n    postrenderer.helm.sh/postrender-filename: 'demo/templates/a.yaml'\ndata: {k: v}\n" +
        "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: h\n  annotations: {helm.sh/hook: test, postrenderer.helm.sh/postrender-filename: 'demo/templates/hook.yaml'}\n",
    );
    assert.match(
      out,
      /# Source: demo\/templates\/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x-a # kept\ndata: \{k: v\}\n/,
    );
    assert.match(out, /name: x-h/);
  });

  it('separate sends them one after the other, nohooks leaves hooks alone', () => {
    const streams: string[] = [];
    run({ strategy: 'separate', run: (text) => (streams.push(text), text) });
    assert.deepEqual(
      streams.map((text) => /kind: (.*)/.exec(text)?.[1]),
      ['Pod', 'ConfigMap'],
    );
    const out = run({ strategy: 'nohooks', run: upper });
    assert.match(out, /name: x-a/);
    assert.match(out, /name: h/);
  });

  it('names documents that come back without a file', () => {
    const out = run({ run: (text) => text.replaceAll(/ *postrenderer.helm.sh.*'\n/g, '') });
    assert.match(out, /# Source: generated-by-postrender-0.yaml/);
  });

  it('says which step failed', () => {
    const broken = (): never => {
      throw new Error('boom');
    };
    assert.throws(() => run({ run: broken }), { code: 'PostRenderFailed', message: 'error while running post render on files: boom' });
    assert.throws(() => run({ strategy: 'separate', run: broken }), { message: 'error while running post render on hooks: boom' });
    assert.throws(() => run({ run: () => '{' }), { message: /^error while parsing post rendered output: / });
  });
});
