import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeJson, goInt64, goMap, mapFromYaml, toYamlValue, type GoValue } from '../../golang/index.ts';
import { decodeToml } from './decode.ts';
import { encodeToml } from './encode.ts';

function json(text: string): string {
  return encodeJson(toYamlValue(decodeToml(text)));
}

describe('decodeToml', () => {
  const cases: [text: string, want: string][] = [
    ['a = 1\nb = 0x1F\nc = 1_000\nd = -1.5e3\ne = true', '{"a":1,"b":31,"c":1000,"d":-1500,"e":true}'],
    ['a.b.c = 1\na.b.d = 2', '{"a":{"b":{"c":1,"d":2}}}'],
    ['[t]\nx = "q\\n\\u00e9"\n[t.u]\ny = \'raw\\n\'', '{"t":{"u":{"y":"raw\\\\n"},"x":"q\\né"}}'],
    ['[[l]]\nk = 1\n[[l]]\nk = 2\n[l.sub]\nz = 3', '{"l":[{"k":1},{"k":2,"sub":{"z":3}}]}'],
    ['a = [1, "x", [true], {k = 1, j.i = 2}] # c', '{"a":[1,"x",[true],{"j":{"i":2},"k":1}]}'],
    ["a = \"\"\"\none \\\n   two\"\"\"\nb = '''x'y'''", '{"a":"one two","b":"x\'y"}'],
    ['t = 2020-01-02T03:04:05Z\nd = 2020-01-02', '{"d":"2020-01-02T00:00:00Z","t":"2020-01-02T03:04:05Z"}'],
    ['"__proto__" = 1\n"" = 2', '{"":2,"__proto__":1}'],
  ];
  for (const [text, want] of cases) it(JSON.stringify(text), () => assert.equal(json(text), want));

  const errors: [text: string, want: string][] = [
    ['abc', "toml: line 1: unexpected EOF; expected key separator '='"],
    ['a = ', 'toml: line 1 (last key "a"): unexpected EOF; expected value'],
    ['a = 1\na = 2', 'toml: line 2 (last key "a"): Key \'a\' has already been defined.'],
    ['a = 01', 'toml: line 1 (last key "a"): Invalid integer "01": cannot have leading zeroes'],
    ['a = "x\ny"', 'toml: line 1 (last key "a"): strings cannot contain newlines'],
    ['[a]\n[a]', "toml: line 2: Key 'a' has already been defined."],
    ['a = [1 2]', "toml: line 1 (last key \"a\"): expected a comma (',') or array terminator (']'), but got '2'"],
    ['a = \u0001', 'toml: line 1 (last key "a"): TOML files cannot contain control characters: \'0x01\''],
    ['a = 99999999999999999999', 'toml: line 1 (last key "a"): 99999999999999999999 is out of range for int64'],
  ];
  for (const [text, want] of errors) it(JSON.stringify(text), () => assert.throws(() => decodeToml(text), { message: want }));

  it('is bounded in depth', () => {
    assert.throws(() => decodeToml(`a = ${'['.repeat(100_000)}`), { code: 'BudgetExceeded' });
  });
});

describe('encodeToml', () => {
  const cases: [value: GoValue, want: string][] = [
    [
      mapFromYaml({ b: 'two', a: 1, t: { x: true, u: { v: [1, 2] } } }),
      'a = 1.0\nb = "two"\n\n[t]\n  x = true\n  [t.u]\n    v = [1.0, 2.0]\n',
    ],
    [mapFromYaml({ l: [{ k: 'v' }, { k: 'w' }], n: null }), '[[l]]\n  k = "v"\n\n[[l]]\n  k = "w"\n'],
    [
      goMap([
        ['a b', goInt64(1)],
        ['c', [[goMap([['x', 'y']])]]],
      ]),
      '"a b" = 1\nc = [[{x = "y"}]]\n',
    ],
    ['q"\\\n', '"q\\"\\\\\\n"'],
    [1e6, '1e+06'],
  ];
  for (const [value, want] of cases) it(JSON.stringify(want), () => assert.equal(encodeToml(value), want));

  it('refuses nil in lists and at the top', () => {
    assert.throws(() => encodeToml([null]), { message: 'toml: cannot encode array with nil element' });
    assert.throws(() => encodeToml(null), { message: 'reflect: call of reflect.Value.Type on zero Value' });
  });
});
