import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SubstitutionError, type SubstitutionErrorCode } from './errors.ts';
import { prepareVariables, substituteObject, substituteText } from './substitute.ts';

type Failure = { failure: string };
const failure = (text: string): Failure => ({ failure: text });

const VARIABLES = new Map(Object.entries({ v: 'hello world', e: '', n: '42', p: 'a/b/c.tar.gz', u: 'Äé', s: 'a.b.c' }));

/* Answers of fluxcd/pkg envsubst v1.7.0 (Flux 2.9): the template, what it gives, and what it gives in strict mode where that differs. */
const TABLE: [template: string, want: string | Failure, strict?: string | Failure][] = [
  ['${v}', 'hello world'],
  ['${{v}}', failure('unable to parse variable name')],
  ['a${v}b${n}', 'ahello worldb42'],
  ['${e}', ''],
  ['${x}', '', failure('variable not set (strict mode): "x"')],
  ['${v:-d}', 'hello world'],
  ['${e:-d}', 'd'],
  ['${x:-d}', 'd'],
  ['${x:=d}', 'd'],
  ['${x=d}', 'd'],
  ['${v:+d}', 'hello world'],
  ['${x:+d}', 'd'],
  ['${x:?d}', 'd'],
  ['${x-d}', failure('missing closing brace')],
  ['${x+d}', failure('missing closing brace')],
  ['${x?d}', failure('missing closing brace')],
  ['${}', failure('unable to parse variable name')],
  ['${v:}', failure('unable to parse substitution within function')],
  ['${v', failure('missing closing brace')],
  ['${', failure('unable to parse variable name')],
  ['$', '$'],
  ['$v', '$v'],
  ['$ {v}', '$ {v}'],
  ['$$', '$'],
  ['$$v', '$v'],
  ['$${v}', '${v}'],
  ['$$${v}', '$hello world'],
  ['$$$${v}', '$${v}'],
  ['${x:-${v}-y}', 'hello world-y'],
  ['${x:-${y:-${z:-deep}}}', 'deep'],
  ['${x:-a${v}b${n}c}', 'ahello worldb42c'],
  ['${x:-}', ''],
  ['${v:6}', 'world'],
  ['${v:0:5}', 'hello'],
  ['${v:-5}', 'hello world'],
  ['${v: -5}', 'hello world'],
  ['${v:99}', ''],
  ['${v:0:99}', 'hello world'],
  ['${v:a}', 'hello world'],
  ['${v:1:b}', 'hello world'],
  ['${v:${n}}', ''],
  ['${#v}', '11'],
  ['${#u}', '4'],
  ['${#x}', '0', failure('variable not set (strict mode): "x"')],
  ['${#}', failure('bad substitution')],
  ['${v^}', 'Hello world'],
  ['${v^^}', 'HELLO WORLD'],
  ['${u,}', 'äé'],
  ['${u,,}', 'äé'],
  ['${v,,,}', failure('bad substitution')],
  ['${v^,}', 'hello world'],
  ['${p#*/}', 'b/c.tar.gz'],
  ['${p##*/}', 'c.tar.gz'],
  ['${p%.*}', 'a/b/c.tar'],
  ['${p%%.*}', 'a/b/c'],
  ['${p%/*}', 'a/b'],
  ['${p#[a-z]}', '/b/c.tar.gz'],
  ['${p#[}', 'a/b/c.tar.gz'],
  ['${v/o/0}', 'hell0 world'],
  ['${v//o/0}', 'hell0 w0rld'],
  ['${v//o/}', 'hell wrld'],
  ['${v/o}', failure('bad substitution')],
  ['${v/#hello/bye}', 'bye world'],
  ['${v/%world/all}', 'hello all'],
  ['${v/#x/y}', 'hello world'],
  ['${p//\\//-}', 'a-b-c.tar.gz'],
  ['${v/ /\\\\}', 'hello\\world'],
  ['${s//./${n}}', 'a42b42c'],
  ['${v//${n}/x}', 'hello world'],
  ['${1abc}', '', failure('variable not set (strict mode): "1abc"')],
  ['${日本:-x}', 'x'],
  ['${a-b}', failure('missing closing brace')],
  ['${a.b}', failure('missing closing brace')],
  ['$(v)', '$(v)'],
  ['${v}$', 'hello world$'],
  ['\\${v}', '\\hello world'],
  ['${v}\\', 'hello world\\'],
  ['${v//l/$$}', 'he$$o wor$d'],
  ['${x:-$$y}', '$$y'],
  ['${x:-\\}}', '\\}'],
  ['a\u0000b${v}', 'a'],
  ['${ v}', failure('unable to parse variable name')],
  ['${v }', failure('missing closing brace')],
  ['${v#}', failure('unable to parse substitution within function')],
  ['${v%}', failure('unable to parse substitution within function')],
  ['${v/}', failure('bad substitution')],
  ['${v//}', failure('bad substitution')],
  ['${x:-"q"}', '"q"'],
  ["${x:-'q'}", "'q'"],
  ['${x:-{}}', '{}'],
  ['${x:-a:b}', 'a:b'],
];

const fails =
  (code: SubstitutionErrorCode, text = '') =>
  (error: unknown) => {
    assert.ok(error instanceof SubstitutionError, String(error));
    assert.equal(error.code, code);
    assert.ok(error.message.includes(text), error.message);
    return true;
  };

function check(template: string, strict: boolean, want: string | Failure): void {
  if (typeof want === 'string') assert.equal(substituteText(template, VARIABLES, strict), want);
  else {
    assert.throws(
      () => substituteText(template, VARIABLES, strict),
      (error) => error instanceof SubstitutionError && error.message.startsWith(want.failure),
    );
  }
}

describe('expressions (KB43–KB48)', () => {
  for (const [template, want, strict] of TABLE) {
    it(JSON.stringify(template), () => {
      check(template, false, want);
      check(template, true, strict ?? want);
    });
  }

  it('counts a negative length from the end, where Flux 2.9 crashes', () => {
    for (const [template, want] of [
      ['${v:2:-1}', 'llo worl'],
      ['${v:0:-3}', 'hello wo'],
      ['${v:8:-8}', ''],
      ['${v:-4:-1}', 'hello world'],
      ['${v: 1}', 'hello world'],
    ] as const)
      check(template, false, want);
  });

  it('says which expression, where, and what to do', () => {
    assert.throws(
      () => substituteText('a: b\nc: d\ne: ${bad-name}\nf: g', VARIABLES, false),
      (error) => {
        assert.ok(fails('ExpressionInvalid', 'missing closing brace at "${bad-name}" (line 3)')(error));
        return (error as SubstitutionError).remedy?.includes('$${') === true;
      },
    );
  });

  it('leaves text without expressions as it is', () => {
    fc.assert(
      fc.property(
        fc.string().map((text) => text.replaceAll('$', '').replaceAll('\0', '')),
        (text) => substituteText(text, VARIABLES, true) === text,
      ),
    );
  });

  it('gives back escaped what was escaped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('$', '{', '}', 'v', 'é', '🙂', ' ', '\\')).map((parts) => parts.join('')),
        (text) => substituteText(text.replaceAll('$', '$$$$'), VARIABLES, true) === text,
      ),
    );
  });

  it('always ends: with a text or an error of ours', () => {
    const pieces = fc.constantFrom('${', '}', '$', 'v', 'x', ':', '-', '=', '#', '%', '/', '^', ',', '*', '[a-z]', '\\', 'é', '1', ' ');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        try {
          return typeof substituteText(parts.join(''), VARIABLES, false) === 'string';
        } catch (error) {
          return error instanceof SubstitutionError;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('bounds', () => {
  it('nesting', () =>
    assert.throws(() => substituteText(`${'${x:-'.repeat(600)}d${'}'.repeat(600)}`, VARIABLES, false), fails('LimitExceeded')));
  it('many expressions are no nesting', () => assert.equal(substituteText('${n}'.repeat(50_000), VARIABLES, true).length, 100_000));
  it('growth', () => {
    const big = new Map([['big', 'x'.repeat(1_000_000)]]);
    assert.throws(() => substituteText(`\${big//x/${'y'.repeat(100)}}`, big, false), fails('LimitExceeded'));
    assert.throws(() => substituteText('${big}'.repeat(100), big, false), fails('LimitExceeded'));
  });
  it('patterns that would take for ever', () => {
    const big = new Map([['big', 'a'.repeat(20_000)]]);
    assert.throws(() => substituteText('${big#*a*a*a*a*b}', big, false), fails('LimitExceeded'));
  });
  it('many escapes take linear time', () => assert.equal(substituteText('$$'.repeat(500_000), VARIABLES, false).length, 500_000));
});

describe('variables (KB40, KB41)', () => {
  it('later sources override earlier ones, newlines go', () => {
    const variables = prepareVariables([
      new Map([
        ['a', '1\n'],
        ['b', 'x\ny\n'],
      ]),
      Object.entries({ a: '2' }),
    ]);
    assert.deepEqual(
      [...variables],
      [
        ['a', '2'],
        ['b', 'xy'],
      ],
    );
  });
  for (const name of ['1a', 'a-b', '', 'a b', 'é', 'a\n']) {
    it(`refuses the name ${JSON.stringify(name)}`, () =>
      assert.throws(() => prepareVariables([[[name, 'x']]]), fails('VariableNameInvalid', 'var name is invalid, must match')));
  }
});

describe('objects (KB40, KB42)', () => {
  const object = (data: Record<string, unknown>, metadata: Record<string, unknown> = {}): Record<string, unknown> => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', ...metadata },
    data,
  });
  const substitute = (
    value: Record<string, unknown>,
    variables: Record<string, string> = { n: '42', v: 'text', t: 'true', q: 'a: b' },
    strict = true,
  ): Record<string, unknown> => substituteObject(value, new Map(Object.entries(variables)), { strict }, 'ConfigMap/x');

  it('values change type with their text', () => {
    assert.deepEqual(substitute(object({ a: '${n}', b: 'x-${n}', c: '${t}', d: '${v}' }))['data'], {
      a: 42,
      b: 'x-42',
      c: true,
      d: 'text',
    });
    assert.deepEqual(substitute(object({ a: '"${n}"' }))['data'], { a: '"42"' });
  });

  it('keys too', () => assert.deepEqual(substitute(object({ 'a-${v}': 'x' }))['data'], { 'a-text': 'x' }));

  it('multi-line text', () => assert.deepEqual(substitute(object({ a: 'one ${v}\ntwo ${n}\n' }))['data'], { a: 'one text\ntwo 42\n' }));

  it('returns the very object when nothing is to be done', () => {
    const plain = object({ a: 'x' });
    assert.equal(substitute(plain), plain);
    const template = object({ a: '${n:=1}' });
    assert.equal(substitute(template, {}), template, 'no variables');
    assert.deepEqual(substituteObject(template, new Map(), { strict: true, always: true }, 'x')['data'], { a: 1 });
    for (const metadata of [
      { labels: { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' } },
      { annotations: { 'kustomize.toolkit.fluxcd.io/substitute': 'Disabled' } },
    ]) {
      const opted = object({ a: '${n}' }, metadata);
      assert.equal(substitute(opted), opted);
    }
  });

  it('names the object in errors', () => {
    assert.throws(
      () => substitute(object({ a: '${missing}' })),
      fails('VariableNotSet', 'substitute variables in ConfigMap/x: variable not set (strict mode): "missing"'),
    );
    assert.deepEqual(substitute(object({ a: '${missing}' }), undefined, false)['data'], { a: null });
    assert.throws(() => substitute(object({ a: 'x ${q}' })), fails('ResultInvalid', 'YAMLToJSON'));
  });
});
