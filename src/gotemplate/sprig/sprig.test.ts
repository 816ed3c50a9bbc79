import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { formatValue, fromYamlValue, goInt, goInt64, goMap, goTypeName, sprintf, stringSlice, type GoValue } from '../../golang/index.ts';
import { isCodedError } from '../../std/index.ts';
import { FunctionTable, TemplateSet } from '../index.ts';
import { sprigFunctions, systemProviders } from './index.ts';

const providers = systemProviders({
  now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
  dns: { lookup: (host) => (host === 'known' ? ['10.0.0.1'] : []) },
});
const functions = FunctionTable.of(sprigFunctions(providers));

/** Renders a template with values under `.`. */
function render(template: string, values: Record<string, unknown> = {}): string {
  const set = new TemplateSet({ name: 't', functions });
  set.parse('t', template);
  return set.execute('t', fromYamlValue(values as never));
}

/** Each pair: what stands between the braces, and what it prints. */
function prints(cases: readonly (readonly [string, string])[], values?: Record<string, unknown>): void {
  for (const [expression, want] of cases) assert.equal(render(`{{ ${expression} }}`, values), want, expression);
}

function fails(cases: readonly (readonly [string, string])[], values?: Record<string, unknown>): void {
  for (const [expression, want] of cases) {
    assert.throws(
      () => render(`{{ ${expression} }}`, values),
      (error) => error instanceof Error && error.message.includes(want),
      `${expression} fails with ${want}`,
    );
  }
}

suite('sprig: text', () => {
  test('cuts count bytes', () => {
    prints([
      ['trunc 2 "héllo" | quote', String.raw`"h\xc3"`],
      ['trunc -3 "hello"', 'llo'],
      ['substr 1 3 "hello"', 'el'],
      ['substr -1 3 "hello"', 'hel'],
      ['substr 3 -1 "hello"', 'lo'],
      ['abbrev 8 "hello world"', 'hello...'],
      ['abbrevboth 5 10 "1234 5678 9123"', '...5678...'],
      ['contains (trunc 1 "日") "日本"', 'true'],
      ['trimPrefix (trunc 1 "é") "éa" | quote', String.raw`"\xa9a"`],
      ['splitList (trunc 1 "é") "aéb" | quote', String.raw`"[a \xa9b]"`],
      ['printf "%s%s" (trunc 1 "é") (substr 1 2 "é")', 'é'],
    ]);
    fails([
      ['substr 3 2 "hello"', 'error calling substr: runtime error: slice bounds out of range [3:2]'],
      ['substr -1 9 "hello"', 'runtime error: slice bounds out of range [:9] with length 5'],
    ]);
  });

  test('words and case', () => {
    prints([
      ['title "hello wörld"', 'Hello Wörld'],
      ['untitle "Hello World"', 'hello world'],
      ['swapcase "Hello World"', 'hELLO wORLD'],
      ['snakecase "HTTPServer2xx"', 'http_server_2xx'],
      ['kebabcase "Bld4Floor3rd"', 'bld4-floor-3rd'],
      ['camelcase "_complex__case_"', '_Complex_Case_'],
      ['camelcase "GOLANG_IS_GREAT"', 'GolangIsGreat'],
      ['initials "First Try"', 'FT'],
      ['nospace "a b\tc"', 'abc'],
      ['wrap 5 "hello big world"', 'hello\nbig\nworld'],
      ['wrapWith 3 "|" "abcdefg"', 'abc|def|g'],
      ['plural "one" "many" 1', 'one'],
    ]);
  });

  test('quotes, joins and splits leave nil out', () => {
    prints([
      ['quote "a" nil 1.5 (list 1)', '"a" "1.5" "[1]"'],
      ['squote "a" nil', "'a'"],
      ['cat "a" nil 1 true', 'a 1 true'],
      ['join "-" (list 1 nil "b")', '1-b'],
      ['join "," "x"', 'x'],
      ['split "," "a,b"', 'map[_0:a _1:b]'],
      ['splitn "," 2 "a,b,c"', 'map[_0:a _1:b,c]'],
      ['splitList "" "aé"', '[a é]'],
      ['replace "" "-" "ab"', '-a-b-'],
      ['trimAll "$" "$5.00$"', '5.00'],
      ['trimSuffix "-" "a--"', 'a-'],
      [String.raw`indent 2 "a\nb"`, '  a\n  b'],
      ['nindent 1 "a"', '\n a'],
      ['repeat 3 "ab"', 'ababab'],
    ]);
    fails([['repeat -1 "a"', 'error calling repeat: strings: negative Repeat count']]);
  });

  test('encodings and sums', () => {
    prints([
      ['b64enc "é" | b64dec', 'é'],
      ['b64dec "###"', 'illegal base64 data at input byte 0'],
      ['b64dec "YWI"', 'illegal base64 data at input byte 0'],
      ['b32enc "foobar"', 'MZXW6YTBOI======'],
      ['b32dec "MZXW6YTBOI======"', 'foobar'],
      ['b32dec "MZX"', 'illegal base32 data at input byte 0'],
      ['sha1sum ""', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
      ['sha256sum "abc" | trunc 8', 'ba7816bf'],
      ['adler32sum "Wikipedia"', '300286872'],
    ]);
    const bytes = fc.uint8Array({ maxLength: 60 });
    fc.assert(
      fc.property(bytes, (raw) => {
        const base64 = Buffer.from(raw).toString('base64');
        prints([
          [`b64dec "${base64}" | b64enc`, base64],
          [`b64dec "${base64}" | b32enc | b32dec | b64enc`, base64],
        ]);
      }),
      { numRuns: 50 },
    );
  });
});

suite('sprig: numbers', () => {
  test('conversions are those of cast 1.7', () => {
    prints([
      ['int "012"', '10'],
      ['int "08"', '0'],
      ['int "3.7"', '0'],
      ['int "3.0"', '3'],
      ['int64 "0x10"', '16'],
      ['int 3.9', '3'],
      ['int true', '1'],
      ['int64 1e300', '-9223372036854775808'],
      ['float64 "1.5e3"', '1500'],
      ['atoi "99999999999999999999"', '9223372036854775807'],
      ['toDecimal "777"', '511'],
    ]);
  });

  test('arithmetic', () => {
    prints([
      ['add 1 2.9 "3" nil', '6'],
      ['add 9223372036854775807 1', '-9223372036854775808'],
      ['sub 1 "2"', '-1'],
      ['mul 3 4 "5"', '60'],
      ['div -7 2', '-3'],
      ['mod -7 3', '-1'],
      ['max 1 "7" 3', '7'],
      ['addf 0.1 0.2', '0.3'],
      ['divf 1 3', '0.3333333333333333'],
      ['mulf 1.1 3', '3.3'],
      ['round -2.5 0', '-3'],
      ['round 123.5555 3', '123.556'],
      ['round 7 100', '7'],
      ['floor -1.5', '-2'],
      ['until 3', '[0 1 2]'],
      ['untilStep 3 6 2', '[3 5]'],
      ['seq 2 -2', '2 1 0 -1 -2'],
      ['seq 1 2 6', '1 3 5'],
      ['typeOf (add 1 1)', 'int64'],
    ]);
    fails([
      ['div 1 0', 'error calling div: runtime error: integer divide by zero'],
      ['divf 1 0', 'error calling divf: decimal division by 0'],
    ]);
  });

  test('integers behave like Go integers', () => {
    const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
    const call = (name: string, ...args: GoValue[]): string => formatValue(functions.get(name)?.call(args, undefined as never));
    fc.assert(
      fc.property(int64, int64, (a, b) => {
        assert.equal(call('add', goInt64(a), goInt64(b)), String(BigInt.asIntN(64, a + b)));
        assert.equal(call('mul', goInt64(a), goInt64(b)), String(BigInt.asIntN(64, a * b)));
        assert.equal(call('add1', goInt64(a)), String(BigInt.asIntN(64, a + 1n)));
        if (b !== 0n) assert.equal(call('div', goInt64(a), goInt64(b)), String(BigInt.asIntN(64, a / b)));
      }),
    );
  });
});

suite('sprig: lists and maps', () => {
  test('lists', () => {
    prints([
      ['first (list)  | kindOf', 'invalid'],
      ['last (list 1 2)', '2'],
      ['rest (list 1 2 3)', '[2 3]'],
      ['initial (list 1 2 3)', '[1 2]'],
      ['append (list 1) nil', '[1 <nil>]'],
      ['prepend (until 2) "x"', '[x 0 1]'],
      ['concat (list 1) (list "a" 2)', '[1 a 2]'],
      ['reverse (list 1 2)', '[2 1]'],
      ['uniq (list 1 1.0 "1" 1 (list 1) (list 1))', '[1 1 1 [1]]'],
      ['without (list 1 2 3) 2', '[1 3]'],
      ['has 3 (list 3.0)', 'false'],
      ['compact (list 0 "" nil 1 (list))', '[1]'],
      ['chunk 2 (list 1 2 3)', '[[1 2] [3]]'],
      ['sortAlpha (list "b" 1 "a")', '[1 a b]'],
      ['slice (list 1 2 3) 1', '[2 3]'],
      ['rest (list) | toJson', 'null'],
    ]);
    fails([
      ['first "x"', 'error calling first: Cannot find first on type string'],
      ['slice "hello" 1', 'list should be type of slice or array but string'],
      ['slice (list 1 2) 1 5', 'reflect.Value.Slice: slice index out of bounds'],
      ['concat (list) 1', 'Cannot concat type int as list'],
      ['chunk 0 (list 1)', 'runtime error: makeslice: len out of range'],
    ]);
  });

  test('a list can be cut up to the capacity of its storage, as in Go', () => {
    prints([['slice .l 0 4', '[1 2 3 <nil>]']], { l: [1, 2, 3] });
    prints([
      ['slice (slice (list 1 2 3) 0 1) 1 3', '[2 3]'],
      ['slice (regexFindAll "." "ab" -1) 0 3 | toJson', '["a","b",""]'],
    ]);
    assert.equal(render('{{ $l := splitList "," "c,a" }}{{ sortAlpha $l }}{{ $l }}'), '[a c][a c]');
  });

  test('maps', () => {
    prints([
      ['dict "a" 1 "b"', 'map[a:1 b:]'],
      ['get (dict "a" nil) "a" | kindOf', 'invalid'],
      ['get (dict) "a" | quote', '""'],
      ['keys (dict "b" 1 "a" 2)', '[a b]'],
      ['pick (dict "a" 1 "b" 2) "a" "x"', 'map[a:1]'],
      ['omit (dict "a" 1 "b" 2) "a"', 'map[b:2]'],
      ['pluck "a" (dict "a" 1) (dict) (dict "a" 2)', '[1 2]'],
      ['dig "a" "b" "d" (dict "a" (dict "b" 1))', '1'],
      ['dig "a" "x" "d" (dict "a" (dict "b" 1))', 'd'],
      ['hasKey (dict "a" nil) "a"', 'true'],
    ]);
    fails([
      ['dig "a" "b" "d" (dict "a" 1)', 'interface conversion: interface {} is int, not map[string]interface {}'],
      ['dig 1 "d" (dict)', 'interface conversion: interface {} is int, not string'],
      ['dig "a"', 'dig needs at least three arguments'],
    ]);
  });

  test('merge fills what is empty, mergeOverwrite takes what is present', () => {
    const maps = '(dict "a" 1 "b" false "c" (dict "x" 1) "l" (list)) (dict "a" 2 "b" true "c" (dict "y" 2) "d" nil "l" (list 1))';
    prints([
      [`merge ${maps}`, 'map[a:1 b:true c:map[x:1 y:2] l:[1]]'],
      [`mergeOverwrite ${maps}`, 'map[a:2 b:true c:map[x:1 y:2] d:<nil> l:[1]]'],
      ['mergeOverwrite (dict "a" 1) (dict "a" "")', 'map[a:]'],
      ['merge (dict "a" (dict "k" 1)) (dict "a" "text")', 'map[a:map[k:1]]'],
    ]);
    assert.equal(
      render('{{ $s := dict "n" (dict "a" 1) }}{{ $d := merge (dict) $s }}{{ set $d.n "a" 2 }}{{ $s }}'),
      'map[a:2]map[n:map[a:2]]',
      'nested maps of the source are shared',
    );
    assert.equal(render('{{ $s := dict "n" (dict "a" 1) }}{{ $d := deepCopy $s }}{{ $_ := set $d.n "a" 2 }}{{ $s }}'), 'map[n:map[a:1]]');
  });
});

suite('sprig: the rest', () => {
  test('defaults and choices', () => {
    prints([
      ['default "d" 0', 'd'],
      ['default "d" "x"', 'x'],
      ['default "d"', 'd'],
      ['coalesce 0 "" nil "a" "b"', 'a'],
      ['coalesce nil | kindOf', 'invalid'],
      ['ternary 1 2 false', '2'],
      ['all 1 "a"', 'true'],
      ['any 0 ""', 'false'],
      ['empty (semver "1.2.3")', 'false'],
      ['kindOf (list)', 'slice'],
      ['typeIsLike "semver.Version" (semver "1")', 'true'],
      ['deepEqual (list 1 (dict "a" nil)) (list 1 (dict "a" nil))', 'true'],
      ['deepEqual 1 1.0', 'false'],
      ['fromJson "{\\"a\\":[1,2]}"', 'map[a:[1 2]]'],
      ['fromJson "x" | kindOf', 'invalid'],
      ['toPrettyJson (dict "a" 1)', '{\n  "a": 1\n}'],
      ['toRawJson "<"', '"<"'],
      ['toJson (trunc 1 "é")', String.raw`"\ufffd"`],
      ['(semver "1.2.3-rc.1+b").Prerelease', 'rc.1'],
      ['(semver "v1.2.3").IncMinor', '1.3.0'],
      ['semverCompare "^1.2" "1.9"', 'true'],
      ['regexReplaceAll "(a)(b)" "abab" "${2}$1"', 'baba'],
      ['regexMatch "[" "x"', 'false'],
      ['base "a/b.c"', 'b.c'],
      ['(urlParse "http://u:p@h:80/x?q#f").userinfo', 'u:p'],
      ['urlJoin (dict "scheme" "https" "host" "h" "path" "p")', 'https://h/p'],
      ['getHostByName "known"', '10.0.0.1'],
      ['decryptAES "k" (encryptAES "k" "text")', 'text'],
      ['derivePassword 1 "long" "password" "user" "example.com"', 'ZedaFaxcZaso9*'],
    ]);
    fails([
      ['regexFind "[" "x"', 'error calling regexFind: regexp: Compile(`[`): error parsing regexp: missing closing ]: `[`'],
      ['semverCompare "x y" "1"', 'error calling semverCompare: improper constraint: "x y"'],
      ['fail "no"', 'error calling fail: no'],
      ['deepCopy nil', 'reflect: call of reflect.Value.Type on zero Value'],
      ['toRawJson (list (divf 1e308 1e-308))', 'json: unsupported value: +Inf'],
      ['urlParse "http://[x"', 'unable to parse url: parse "http://[x": missing \']\' in host'],
      ['randInt 2 2', 'invalid argument to Intn'],
    ]);
  });

  test('dates come from the providers', () => {
    prints([
      ['date "2006-01-02 15:04" now', '2026-01-02 03:04'],
      ['date "2006" "no time"', '2026'],
      ['dateInZone "15:04 MST" 0 "Europe/Berlin"', '01:00 CET'],
      ['htmlDate 86400', '1970-01-02'],
      ['toDate "2006-01-02" "x"', '0001-01-01 00:00:00 +0000 UTC'],
      ['(toDate "2006-01-02" "2020-03-04").Year', '2020'],
      ['unixEpoch (dateModify "1h" (toDate "2006-01-02" "1970-01-01"))', '3600'],
      ['ago (toDate "2006-01-02" "2026-01-01")', '27h4m5s'],
      ['duration "95"', '1m35s'],
      ['durationRound "2h10m5s"', '2h'],
      ['(now.Sub (toDate "2006-01-02" "2026-01-02")).Hours', '3.0680555555555555'],
    ]);
    fails([['mustToDate "2006" "x"', 'error calling mustToDate: parsing time "x" as "2006": cannot parse "x" as "2006"']]);
  });

  test('any value in any function ends in a value or an error of Go', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }).map((plain) => fromYamlValue(plain as never)),
      fc.integer({ min: -5, max: 50 }).map(goInt),
      fc.constantFrom<GoValue>(null, goMap([['a', goMap([['b', null]])]]), stringSlice(['a', 'b']), '1.2.3', '>=1', '2006-01-02', 'a/b'),
    );
    const slow = new Set([
      'genPrivateKey',
      'genCA',
      'genCAWithKey',
      'genSelfSignedCert',
      'genSelfSignedCertWithKey',
      'genSignedCert',
      'genSignedCertWithKey',
      'bcrypt',
      'htpasswd',
      'derivePassword',
    ]);
    for (const [name, fn] of sprigFunctions(providers)) {
      if (slow.has(name)) continue;
      const types = new Set(['interface {}', 'string', 'int', 'map[string]interface {}']);
      if (!fn.params.every((type) => types.has(type.name))) continue;
      const fits = (given: GoValue, type: string): boolean => type === 'interface {}' || goTypeName(given) === type;
      const args = fn.params.map((type) => value.filter((given) => fits(given, type.name)));
      const more = fn.variadic === true ? fc.array(args.at(-1) ?? value, { maxLength: 3 }) : fc.constant([]);
      fc.assert(
        fc.property(fc.tuple(fc.tuple(...args), more), ([first, others]) => {
          try {
            sprintf('%v', [fn.call([...first, ...others], undefined as never)]);
          } catch (error) {
            assert.ok(isCodedError(error, 'GoError', 'BudgetExceeded'), `${name}: ${String(error)}`);
          }
        }),
        { numRuns: 15 },
      );
    }
  });
});

suite('hostile templates', () => {
  test('what would take the process down in Go is refused', () => {
    const over = (expression: string, values?: Record<string, unknown>): void => {
      const started = performance.now();
      assert.throws(
        () => render(`{{ ${expression} }}`, values),
        (error) => isCodedError(error, 'BudgetExceeded'),
        expression,
      );
      assert.ok(performance.now() - started < 10_000, `${expression} is refused soon`);
    };
    over('repeat 1000000000 "ab"');
    over('until 9223372036854775807');
    over('untilStep 0 9223372036854775807 1');
    over('indent 100000000 "a"');
    over('randAlphaNum 100000000');
    over('printf "%1000000d%[1]1000000d" 1 | repeat 1000');
    over('replace "a" .big .many', { big: 'x'.repeat(1_000_000), many: 'a'.repeat(1000) });
    over('wrapWith 1 .big .many', { big: 'x'.repeat(1_000_000), many: 'a'.repeat(1000) });
    over('join .big (until 1000)', { big: 'x'.repeat(1_000_000) });
    over('splitList "" .many', { many: 'a'.repeat(3_000_000) });
    over('regexReplaceAll "a" .many .big', { big: 'x'.repeat(1_000_000), many: 'a'.repeat(1000) });
    assert.throws(
      () => render('{{ $d := dict }}{{ $_ := set $d "self" $d }}{{ deepCopy $d }}'),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
    const doubling = '{{ $d := dict "a" 1 }}{{ range until 60 }}{{ $d = dict "a" $d "b" $d }}{{ end }}';
    for (const end of ['toJson $d', '$d', 'deepCopy $d', 'deepEqual $d (deepCopy $d)', 'merge (dict) (deepCopy $d)']) {
      assert.throws(
        () => render(`${doubling}{{ ${end} }}`),
        (error) => isCodedError(error, 'BudgetExceeded'),
        end,
      );
    }
  });
});
