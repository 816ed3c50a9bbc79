import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { goInt, goMap, GoError, intType, stringType, type GoValue } from '../golang/index.ts';
import { Budget, FunctionTable, TemplateCache, TemplateError, TemplateSet, type TemplateFunction } from './index.ts';

const include: TemplateFunction = {
  params: [stringType],
  result: stringType,
  call: ([name], { set, budget }) => set.execute(String(name), undefined, budget),
};

function constant(text: string): TemplateFunction {
  return { params: [], result: stringType, call: () => text };
}

function setOf(texts: Readonly<Record<string, string>>, functions: FunctionTable = FunctionTable.of([['include', include]])): TemplateSet {
  const set = new TemplateSet({ name: 'root', functions });
  for (const [name, text] of Object.entries(texts)) set.parse(name, text);
  return set;
}

function thrownBy(run: () => unknown): TemplateError {
  try {
    run();
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  return assert.fail('nothing was thrown');
}

describe('a set of templates', () => {
  test('the last definition of a name wins, whichever text it is in', () => {
    const set = setOf({ a: '{{define "x"}}1{{end}}', b: '{{define "x"}}2{{end}}', c: '{{template "x"}}' });
    assert.equal(set.execute('c', null), '2');
  });

  test('a blank definition replaces nothing', () => {
    const set = setOf({ a: '{{define "x"}}1{{end}}', b: '{{define "x"}} {{/* nothing */}}\n{{end}}', c: '{{template "x"}}' });
    assert.equal(set.execute('c', null), '1');
  });

  test('a clone sees what was there; later definitions stay where they are made', () => {
    const set = setOf({ x: 'old', main: '{{template "x"}}{{include "x"}}' });
    const clone = set.clone();
    clone.parse('x', 'of the clone');
    set.parse('y', 'late');
    assert.equal(clone.execute('main', null), 'of the cloneof the clone');
    assert.equal(set.execute('main', null), 'oldold');
    assert.equal(clone.lookup('y'), undefined);
    assert.equal(set.execute('y', null), 'late');
    assert.equal(clone.clone().execute('x', null), 'of the clone');
  });

  test('a parsed text runs as itself even where its name means another', () => {
    const set = setOf({ t: 'first' });
    const blank = set.parse('t', ' \n');
    assert.equal(set.executeTemplate(blank, null), ' \n');
    assert.equal(set.execute('t', null), 'first');
  });

  test('a name without a template is an error of its own', () => {
    const error = thrownBy(() => setOf({}).execute('nope', null));
    assert.equal(error.code, 'TemplateUndefined');
    assert.equal(error.message, 'template: no template "nope" associated with template "root"');
    assert.equal(error.frame, undefined);
  });
});

describe('errors', () => {
  test('carry the frame they happened in, and the error of an included template behind them', () => {
    const set = setOf({ 'dir/a': 'é {{define "in"}}\n é{{ len 3 }}{{end}}', b: 'text {{ include "in" | printf "%s" }}' });
    const error = thrownBy(() => set.execute('b', null));
    assert.equal(error.code, 'TemplateExecution');
    assert.deepEqual(
      { ...error.frame, problem: '' },
      { source: 'b', line: 1, column: 8, template: 'b', node: 'include "in"', problem: '' },
    );
    assert.ok(error.cause instanceof TemplateError);
    assert.deepEqual(error.cause.frame, {
      source: 'dir/a',
      line: 2,
      column: 6,
      template: 'in',
      node: 'len 3',
      problem: 'error calling len: len of type int',
    });
  });

  test('of the syntax carry name and line', () => {
    const error = thrownBy(() => setOf({ 'a/b': 'one\n{{ if }}' }));
    assert.equal(error.code, 'TemplateSyntax');
    assert.deepEqual(error.line, { source: 'a/b', line: 2 });
    assert.equal(error.message, 'template: a/b:2: missing value for if');
  });

  test('a bug in a function is not dressed up as an error of the template', () => {
    const broken: TemplateFunction = {
      params: [],
      result: stringType,
      call: () => {
        throw new TypeError('a bug');
      },
    };
    assert.throws(() => setOf({ t: '{{ broken }}' }, FunctionTable.of([['broken', broken]])).execute('t', null), TypeError);
  });

  test('what a function throws as a Go error becomes the text Go gives', () => {
    const failing: TemplateFunction = {
      params: [intType],
      result: stringType,
      call: () => {
        throw new GoError('boom');
      },
    };
    const error = thrownBy(() => setOf({ t: '{{ failing 1 }}' }, FunctionTable.of([['failing', failing]])).execute('t', null));
    assert.equal(error.message, 'template: t:1:3: executing "t" at <failing 1>: error calling failing: boom');
    assert.equal((error.cause as Error).message, 'boom');
  });
});

describe('functions', () => {
  test('of a table override builtins, and a table with more functions overrides those of the one below', () => {
    const below = FunctionTable.of([['len', constant('below')]]);
    assert.equal(setOf({ t: '{{ len }}' }, below).execute('t', null), 'below');
    assert.equal(setOf({ t: '{{ len }}' }, below.with([['len', constant('above')]])).execute('t', null), 'above');
  });

  test('one cached text serves tables whose functions differ, in work and in type', () => {
    const cache = new TemplateCache();
    const run = (fn: TemplateFunction): string => {
      const set = new TemplateSet({ name: 'root', functions: FunctionTable.of([['f', fn]]), cache });
      set.parse('t', '{{ f 1 }}');
      return set.execute('t', null);
    };
    const typeOf = (params: TemplateFunction['params'], text: string): TemplateFunction => ({
      params,
      result: stringType,
      call: () => text,
    });
    assert.equal(run(typeOf([intType], 'a')), 'a');
    assert.equal(run(typeOf([intType], 'b')), 'b');
    assert.match(thrownBy(() => run(typeOf([stringType], 'c'))).message, /expected string; found 1$/);
    assert.equal(run(typeOf([intType], 'd')), 'd');
  });

  test('a cached text is refused where one of its functions does not exist', () => {
    const cache = new TemplateCache();
    const parse = (functions: FunctionTable): void => void new TemplateSet({ name: 'root', functions, cache }).parse('t', '{{ f }}');
    parse(FunctionTable.of([['f', constant('x')]]));
    assert.equal(thrownBy(() => parse(FunctionTable.of())).message, 'template: t:1: function "f" not defined');
  });

  test('named break turn the keyword into a call', () => {
    const set = setOf({ t: '{{ break }}' }, FunctionTable.of([['break', constant('called')]]));
    assert.equal(set.execute('t', null), 'called');
  });
});

describe('executions', () => {
  test('within each other keep apart: the same template, different data, at the same time', () => {
    const deeper: TemplateFunction = {
      params: [intType],
      result: stringType,
      call: ([n], { set, budget }) => set.execute('t', goMap([['n', decremented(n)]]), budget),
    };
    const set = setOf({ t: '{{ $n := .n }}{{ if gt .n 0 }}({{ deeper .n }}){{ end }}{{ $n }}' }, FunctionTable.of([['deeper', deeper]]));
    assert.equal(set.execute('t', goMap([['n', goInt(3)]])), '(((0)1)2)3');
  });

  test('share one budget however they nest', () => {
    const set = setOf({ a: '{{ include "b" }}{{ include "b" }}', b: 'text' });
    const budget = new Budget();
    set.execute('a', null, budget);
    const once = budget.spent;
    set.execute('a', null, budget);
    assert.equal(budget.spent, 2 * once);
  });

  test('join the halves of a character that two actions wrote', () => {
    const bytes = (text: string): TemplateFunction => constant(text);
    const functions = FunctionTable.of([
      ['first', bytes('\udcc3')],
      ['second', bytes('\udca9')],
    ]);
    assert.equal(setOf({ t: '{{ first }}{{ second }}' }, functions).execute('t', null), 'é');
  });
});

function decremented(value: GoValue): GoValue {
  return goInt(Number(String(value !== null && typeof value === 'object' && 'value' in value ? value.value : 0)) - 1);
}
