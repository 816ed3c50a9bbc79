import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../manifest/index.ts';
import { build, KustomizeError } from './index.ts';

const OBJECTS: Readonly<Record<string, Record<string, string>>> = {
  a: { app: 'web', tier: 'front', size: '3' },
  b: { app: 'db', size: '10' },
  c: {},
};

function selected(selector: string): string {
  const resources = Object.entries(OBJECTS).map(
    ([name, labels]) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, labels: ${JSON.stringify(labels)}}\n`,
  );
  const target = JSON.stringify({ labelSelector: selector });
  const files = {
    'kustomization.yaml': `resources: [all.yaml]\npatches:\n- target: ${target}\n  patch: '[{"op": "add", "path": "/hit", "value": 1}]'\n`,
    'all.yaml': resources.join('---\n'),
  };
  return build(memoryTree(files), '')
    .objects.filter((object) => object['hit'] === 1)
    .map(({ metadata }) => metadata.name)
    .join('');
}

describe('a label selector', () => {
  const cases: Readonly<Record<string, string>> = {
    '': 'abc',
    'app=web': 'a',
    'app==web': 'a',
    'app!=web': 'bc',
    'app in (web, db)': 'ab',
    'app notin (web)': 'bc',
    app: 'ab',
    '!app': 'c',
    'size>5': 'b',
    'size<5,tier': 'a',
    'app in (web,),!other': 'a',
    ' app = web , tier = front ': 'a',
  };
  for (const [selector, want] of Object.entries(cases)) {
    it(`'${selector}' selects '${want}'`, () => assert.equal(selected(selector), want));
  }

  it('that cannot be read is an error', () => {
    for (const selector of ['app=', 'app in web', 'app in (', '=x', 'size>five', 'a b', 'app=web,,']) {
      if (selector === 'app=') assert.equal(selected(selector), '', 'an empty value is a value');
      else assert.throws(() => selected(selector), KustomizeError, selector);
    }
  });
});
