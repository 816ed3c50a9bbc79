import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { corpus } from '../../test/corpus.ts';
import { staleFiles } from '../../tools/generate.ts';
import { customResourceDefinition, kinds } from './index.ts';

const root = join(import.meta.dirname, '..', '..');
const flux = corpus('flux');
const upstream = flux === undefined ? undefined : join(flux, 'crds');

/** Every path at which two JSON values differ; descriptions are left out. */
function differences(ours: unknown, theirs: unknown, path = '', insideProperties = false): string[] {
  if (!isObject(ours) || !isObject(theirs)) {
    return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [`${path}: ours ${JSON.stringify(ours)}, Flux ${JSON.stringify(theirs)}`];
  }
  const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  if (!insideProperties) keys.delete('description');
  return [...keys].flatMap((key) => differences(ours[key], theirs[key], `${path}.${key}`, key === 'properties' && !insideProperties));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function withoutChunks(crd: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(crd['spec']));
}

for (const kind of kinds.filter(({ group }) => group.endsWith('.fluxcd.io'))) {
  const file = `${kind.group}_${kind.plural}.yaml`;
  const path = upstream === undefined ? undefined : join(upstream, file);
  const skip = path === undefined ? 'Flux CRDs of the corpus are not here' : false;
  test(`C01 C02 C03 C04: the CRD of ${kind.kind} is Flux's, descriptions aside`, { skip }, () => {
    const theirs = load(readFileSync(path ?? '', 'utf8')) as Record<string, unknown>;
    const ours = customResourceDefinition(kind);
    assert.deepEqual(differences(withoutChunks(ours), withoutChunks(theirs)), []);
    assert.equal((theirs['metadata'] as { name: string }).name, (ours['metadata'] as { name: string }).name);
  });
}

test('generated files are what the schemas say', () => {
  assert.deepEqual(staleFiles(root), []);
});

test('every field says what it is', () => {
  for (const file of readdirSync(join(root, 'deploy', 'crds'))) {
    const crd = load(readFileSync(join(root, 'deploy', 'crds', file), 'utf8')) as {
      spec: { versions: { schema: { openAPIV3Schema: unknown } }[] };
    };
    assert.deepEqual(undocumented(crd.spec.versions[0]?.schema.openAPIV3Schema, ''), [], file);
  }
});

function undocumented(schema: unknown, path: string): string[] {
  if (!isObject(schema)) return [];
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const own = isObject(schema['items']) ? undocumented(schema['items'], `${path}[]`) : [];
  return [
    ...own,
    ...Object.entries(properties).flatMap(([name, property]) => {
      const here = `${path}.${name}`;
      const missing = here !== '.metadata' && isObject(property) && typeof property['description'] !== 'string' ? [here] : [];
      return [...missing, ...undocumented(property, here)];
    }),
  ];
}
