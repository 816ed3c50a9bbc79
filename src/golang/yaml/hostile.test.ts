import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isCodedError } from '../../std/index.ts';
import {
  readResourceNodes,
  readYaml,
  readYamlDocuments,
  writeNode,
  writeYaml,
  writeYamlV3,
  type YamlDialect,
  type YamlValue,
} from '../index.ts';

const DIALECTS: readonly YamlDialect[] = ['v2', 'v3'];

/** Runs a reader that may only end well or with a CodedError. */
function onlyCoded(text: string | Uint8Array): void {
  for (const dialect of DIALECTS) {
    try {
      readYamlDocuments(text, { dialect, strict: true });
    } catch (error) {
      if (!isCodedError(error)) throw new Error(`read ${JSON.stringify(text)}`, { cause: error });
    }
  }
  if (typeof text !== 'string') return;
  try {
    for (const node of readResourceNodes(text)) writeNode(node);
  } catch (error) {
    if (!isCodedError(error)) throw new Error(`read resources ${JSON.stringify(text)}`, { cause: error });
  }
}

suite('hostile YAML', () => {
  test('a billion laughs is refused as go-yaml refuses it', () => {
    const laughs = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 10; i++) {
      const before = String.fromCharCode(96 + i);
      const name = String.fromCharCode(97 + i);
      laughs.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`);
    }
    for (const dialect of DIALECTS) {
      assert.throws(() => readYaml(laughs.join('\n'), { dialect }), {
        code: 'GoError',
        message: 'yaml: document contains excessive aliasing',
      });
    }
    assert.throws(() => readResourceNodes(laughs.join('\n'), { maxValues: 100_000 }), { code: /YamlLimitExceeded|GoError/ });
  });

  test('nesting without end is refused, whatever its form', () => {
    const deep = 100_000;
    for (const text of [
      '['.repeat(deep),
      '{a: '.repeat(deep),
      '- '.repeat(deep),
      '? '.repeat(deep),
      '[?'.repeat(deep),
      `${'['.repeat(deep)}${']'.repeat(deep)}`,
    ]) {
      for (const dialect of DIALECTS) assert.throws(() => readYaml(text, { dialect }), { code: /^(?:GoError|YamlLimitExceeded)$/ });
    }
    const indented = Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
    assert.throws(() => readYaml(indented), { code: 'YamlLimitExceeded' });
    let value: YamlValue = 1;
    for (let i = 0; i < deep; i++) value = [value];
    assert.throws(() => writeYaml(value), { code: 'YamlLimitExceeded' });
  });

  test('every limit holds', () => {
    assert.throws(() => readYaml('x'.repeat(101), { limits: { maxLength: 100 } }), {
      code: 'YamlLimitExceeded',
      message: /length of the text exceeds 100/,
    });
    assert.throws(() => readYaml('[[[]]]', { limits: { maxDepth: 2 } }), { code: 'YamlLimitExceeded' });
    assert.throws(() => readYamlDocuments('---\n'.repeat(11), { limits: { maxDocuments: 10 } }), { code: 'YamlLimitExceeded' });
    assert.throws(() => readYaml('[1, 2, 3]', { limits: { maxValues: 3 } }), { code: 'YamlLimitExceeded' });
    assert.throws(() => readYaml('a: &a 1\nb: [*a, *a]', { limits: { maxValues: 5 } }), { code: 'YamlLimitExceeded' });
  });

  test('many aliases, many duplicate keys and long runs take linear time', () => {
    const start = performance.now();
    onlyCoded(`a: &a 1\nb: [${'*a, '.repeat(50_000)}]`);
    onlyCoded('a: 1\n'.repeat(20_000));
    onlyCoded('&'.repeat(20_000));
    onlyCoded(`"${'\\'.repeat(100_001)}`);
    onlyCoded('#'.repeat(100_000));
    onlyCoded(' \n'.repeat(50_000));
    onlyCoded('# c\n\n'.repeat(5_000));
    onlyCoded(`${'['.repeat(900)}${'a, '.repeat(20_000)}`);
    onlyCoded(`- ${'9'.repeat(200_000)}\n- 0x${'f'.repeat(100_000)}\n- ${'1:'.repeat(50_000)}\n- .${'1_'.repeat(50_000)}`);
    assert.ok(performance.now() - start < 10_000);
  });

  test('odd characters give a value or a CodedError', () => {
    for (const text of [
      '\0',
      'a\0b',
      '\ud800',
      'a: \udcff',
      '\ufeff\ufeffa',
      '\u0085',
      '\u2028- a',
      '\r',
      '\t',
      '---\t- a',
      '\u{10ffff}',
      '!<',
      '%',
      '@',
      '`',
    ])
      onlyCoded(text);
    onlyCoded(Uint8Array.of(0xff, 0xfe, 0x61));
    onlyCoded(Uint8Array.of(0xfe, 0xff, 0xd8, 0x00));
    onlyCoded(Uint8Array.of(0xed, 0xa0, 0x80));
  });
});

/** Text that YAML has something to say about. */
const yamlText = fc.string({
  unit: fc.constantFrom(...Array.from('ab:-?#,[]{}&*!|>\'"%@`\\ \n\t~.0123456789xeyn<=é😀\u0085\u2028')),
  maxLength: 60,
});

const plainText = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 20 }), yamlText, fc.constantFrom('yes', '1', '0x1', '~', '2001-01-01', '1:30', '<<'))
  // What YAML refuses or folds cannot come back.
  .filter((text) => !/[\u007f-\u009f\ufffe\uffff]/.test(text) && text.isWellFormed());

/** Values whose texts come from `text`. */
function valueOf(text: fc.Arbitrary<string>): fc.Arbitrary<YamlValue> {
  return fc.letrec<{ value: YamlValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 5 }),
      // go-yaml writes a key `<<` without quotes and reads it as a merge.
      fc
        .array(
          fc.tuple(
            text.filter((key) => key !== '<<'),
            tie('value'),
          ),
          { maxLength: 5 },
        )
        .map((entries) => Object.fromEntries(entries)),
    ),
  })).value;
}

suite('YAML properties', () => {
  const runs = { numRuns: Number(process.env['SLUICE_FUZZ_RUNS'] ?? 400) };

  test('what writeYaml writes, readYaml reads back', () => {
    fc.assert(
      fc.property(valueOf(plainText), (original) => {
        const want: unknown = JSON.parse(JSON.stringify(original));
        assert.deepEqual(readYaml(writeYaml(original)), want);
      }),
      runs,
    );
  });

  test('what writeYamlV3 writes, yaml.v3 reads back', () => {
    // Where a literal begins with a tab, yaml.v3 writes no indentation hint and cannot read it.
    const readable = plainText.filter((text) => !text.startsWith('\t'));
    fc.assert(
      fc.property(valueOf(readable), fc.boolean(), (original, compactSequences) => {
        const want: unknown = JSON.parse(JSON.stringify(original));
        assert.deepEqual(readYaml(writeYamlV3(original, { compactSequences }), { dialect: 'v3' }), want);
      }),
      runs,
    );
  });

  test('no text makes a reader throw anything but a CodedError', () => {
    fc.assert(fc.property(yamlText, onlyCoded), runs);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), onlyCoded), runs);
  });
});
