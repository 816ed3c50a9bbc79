import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { allowBooleanValues, collectList, normalizeArgv } from './argv.ts';

function parse(...argv: readonly string[]): { options: Record<string, unknown>; args: readonly string[] } {
  const program = new Command('x').exitOverride().option('-n, --namespace <name>').option('--verbose');
  let result: { options: Record<string, unknown>; args: readonly string[] } = { options: {}, args: [] };
  const command = program
    .command('create [name]')
    .option('--prune', 'prune', true)
    .option('-a, --annotation <pair>', '', collectList)
    .option('--tag <tag>');
  command.action(() => {
    result = { options: command.optsWithGlobals(), args: command.args };
  });
  allowBooleanValues(program);
  program.parse(normalizeArgv(program, argv), { from: 'user' });
  return result;
}

test("boolean options take values as in Go's pflag", () => {
  assert.equal(parse('create', '--prune=false').options['prune'], false);
  assert.equal(parse('create', '--prune=true').options['prune'], true);
  assert.equal(parse('create').options['prune'], true);
  assert.equal(parse('create', '--verbose=0', 'x').options['verbose'], false);
  assert.deepEqual(parse('create', '--prune', 'name').args, ['name'], 'a bare boolean does not swallow the next word');
});

test('value options take all of their forms, at any level', () => {
  for (const form of [['-n=dev'], ['-ndev'], ['-n', 'dev'], ['--namespace=dev'], ['--namespace', 'dev']]) {
    assert.equal(parse('create', ...form).options['namespace'], 'dev', form.join(' '));
    assert.equal(parse(...form, 'create').options['namespace'], 'dev', form.join(' '));
  }
  assert.deepEqual(parse('create', '-a', 'x=1,y=2', '-a', 'z=3').options['annotation'], ['x=1', 'y=2', 'z=3']);
  assert.equal(parse('create', '--tag', 'create').options['tag'], 'create', 'a value that looks like a command is a value');
  assert.equal(parse('create', '--tag', '--prune=false').options['tag'], '--prune=false');
});
