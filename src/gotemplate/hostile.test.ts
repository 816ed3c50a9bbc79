import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anyType, stringType } from '../golang/index.ts';
import { isCodedError } from '../std/index.ts';
import { Budget, FunctionTable, TemplateSet, type Limits, type TemplateFunction } from './index.ts';

const include: TemplateFunction = {
  params: [stringType, anyType],
  result: stringType,
  call: ([name, data], { set, budget }) => set.execute(String(name), data, budget),
};
const large: TemplateFunction = { params: [], result: stringType, call: () => 'x'.repeat(100_000) };
const functions = FunctionTable.of([
  ['include', include],
  ['large', large],
]);

function run(text: string, limits: Partial<Limits> = {}): string {
  const set = new TemplateSet({ name: 'root', functions });
  set.parse('t', text);
  return set.execute('t', null, new Budget(limits));
}

function crosses(what: string): (error: unknown) => boolean {
  return (error) => isCodedError(error, 'BudgetExceeded') && error.subject === what;
}

/** Runs and says how long it took, in milliseconds. */
function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

describe('a hostile template', () => {
  test('cannot loop for ever', () => {
    assert.throws(() => run('{{range 9223372036854775807}}{{end}}', { steps: 100_000 }), crosses('steps'));
    assert.throws(() => run('{{range 1000000}}{{range 1000000}}{{continue}}{{end}}{{end}}', { steps: 100_000 }), crosses('steps'));
  });

  test('pays for long actions in short loops', () => {
    const action = `{{$x := print ${'1 '.repeat(1000)}}}`;
    assert.throws(() => run(`{{range 1000}}${action}{{end}}`, { steps: 100_000 }), crosses('steps'));
  });

  test('cannot write without end', () => {
    assert.throws(() => run('{{range 100000000}}some text{{end}}', { output: 100_000 }), crosses('output'));
    assert.throws(() => run('{{range 100000000}}some text{{continue}}{{end}}', { output: 100_000 }), crosses('output'));
    assert.throws(() => run('{{range 100000000}}{{large}}{{end}}', { output: 1_000_000 }), crosses('output'));
    assert.throws(() => run('{{range 100000000}}{{$x := print $.a large}}{{end}}', { output: 50_000 }), crosses('output'));
  });

  test('cannot double a text until memory ends', () => {
    const doubling = '{{$x := "xxxxxxxx"}}{{range 100}}{{$x = print $x $x}}{{end}}';
    assert.throws(() => run(doubling, { output: 1_000_000 }), crosses('output'));
  });

  test('that includes itself ends at the bound on nested executions', () => {
    assert.throws(() => run('{{define "a"}}{{include "a" .}}{{end}}{{include "a" .}}', { depth: 200 }), crosses('nested executions'));
  });

  test('that includes itself without a bound ends where the stack does, not in a crash', () => {
    const text = '{{define "a"}}{{if 1}}{{with 1}}{{range 1}}{{include "a" . | printf "%s"}}{{end}}{{end}}{{end}}{{end}}{{include "a" .}}';
    assert.throws(() => run(text, { depth: 1_000_000 }), crosses('nested executions'));
  });

  test('that calls itself fails as in Go', () => {
    assert.throws(() => run('{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}'), {
      code: 'TemplateExecution',
      message: 'template: t:1:25: executing "a" at <{{template "a" .}}>: exceeded maximum template depth (100000)',
    });
  });

  test('cannot nest parentheses or control structures without end', () => {
    const problem = { message: 'template: t:1: max expression depth exceeded' };
    assert.throws(() => run(`{{${'('.repeat(501)}1${')'.repeat(501)}}}`), problem);
    assert.throws(() => run('{{if 1}}'.repeat(501) + '{{end}}'.repeat(501)), problem);
    assert.throws(() => run(`{{if 0}}${'{{else if 0}}'.repeat(501)}{{end}}`), problem);
    assert.throws(() => run('{{block "a" .}}'.repeat(501) + '{{end}}'.repeat(501)), problem);
    assert.equal(run(`{{${'('.repeat(499)}1${')'.repeat(499)}}}`), '1');
  });

  test('is parsed and compiled in time that grows with its length', () => {
    const size = 50_000;
    const texts = [
      '{{1}}'.repeat(size),
      `{{print ${'1 '.repeat(size)}}}`,
      `{{.${'a.'.repeat(size)}a}}`,
      `{{1${' | print'.repeat(size)}}}`,
      Array.from({ length: size }, (_, i) => `{{$v${i} := ${i}}}`).join('') + '{{$v0}}'.repeat(size),
      '{{/* c */}}'.repeat(size),
      ' {{- /* c */ -}} '.repeat(size),
      '\n'.repeat(size) + '{{1}}'.repeat(size),
      Array.from({ length: size }, (_, i) => `{{define "d${i}"}}x{{end}}`).join(''),
      '{{'.repeat(size),
      `{{"${'\\x41'.repeat(size)}"}}`,
    ];
    for (const text of texts) {
      const set = new TemplateSet({ name: 'root', functions });
      const time = timed(() => {
        try {
          set.parse('t', text);
          set.execute('t', null);
        } catch (error) {
          assert.ok(isCodedError(error), String(error));
        }
      });
      assert.ok(time < 5000, `${text.slice(0, 40)}… took ${time} ms`);
      if (process.env['SLUICE_TIMES'] !== undefined) process.stdout.write(`${text.slice(0, 30)} ${text.length} ${time.toFixed(0)} ms\n`);
    }
  });
});
