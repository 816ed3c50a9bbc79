import assert from 'node:assert/strict';
import { it } from 'node:test';
import { memoryTree } from '../manifest/index.ts';
import { build } from './index.ts';

/** Numbers that look random, the same each time (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const SCALARS = [
  'x', '"yes"', 'no', '~', '1', '0x1F', '1.50', '1e3', '"1e3"', '-0', '.5', '"0b1"', '2001-01-01', '"12:30:45"', '"a: b"', '"# c"', '"multi\\nline\\n"',
  '" lead"', '"trail "', '"tab\\t"', '"ümläut ☺"', '"\\u0007"', '"{}"', '"*a"', '"&a"', '"!x"', '"|"', '"-"', '"- a"', '"?"', '"%"', '"@"', '"`"', '""',
  '9007199254740993', '"<<"', '"~"', '"null"', 'True', '"TRUE"', "'it''s'", '"a\\\\b"', '"\\n"', '"\\nx"', `"${'long words '.repeat(20)}"`,
]; // prettier-ignore
const KEYS = ['a', 'b', '"c d"', '"1"', '"yes"', '"x/y.z"', '"~"', 'y', '"- k"', '"#k"', '"k: v"'];

function value(random: (below: number) => number, depth: number): string {
  const kind = depth === 0 ? 0 : random(4);
  if (kind <= 1) return SCALARS[random(SCALARS.length)] ?? 'x';
  const size = random(4);
  if (kind === 2) return `[${Array.from({ length: size }, () => value(random, depth - 1)).join(', ')}]`;
  const start = random(KEYS.length);
  const entries = Array.from({ length: size }, (_, i) => `${KEYS[(start + i) % KEYS.length] ?? 'a'}: ${value(random, depth - 1)}`);
  return `{${entries.join(', ')}}`;
}

it('a build of the output of a build is that output', () => {
  for (let seed = 0; seed < 150; seed++) {
    const random = randomFrom(seed);
    const objects = Array.from(
      { length: 1 + random(4) },
      (_, i) =>
        `apiVersion: ex.io/v${random(2) + 1}\nkind: Kind${random(3)}\nmetadata: {name: n${i}}\nspec: ${value(random, 4)}\ndata: ${value(random, 2)}\n`,
    );
    const files = {
      'kustomization.yaml':
        'resources: [all.yaml]\nnamePrefix: p-\ncommonAnnotations: {a: "on", b: "1.0"}\nlabels: [{pairs: {l: "007"}}]\n',
      'all.yaml': objects.join('---\n'),
    };
    const once = build(memoryTree(files), '').text();
    const again = { 'kustomization.yaml': 'resources: [all.yaml]\n', 'all.yaml': once };
    assert.equal(build(memoryTree(again), '').text(), once, `seed ${seed}`);
  }
});
