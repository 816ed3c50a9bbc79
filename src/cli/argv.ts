import { type Command, Option } from 'commander';

const TRUE = new Set(['true', 't', 'T', 'TRUE', 'True', '1']);
const FALSE = new Set(['false', 'f', 'F', 'FALSE', 'False', '0']);

/** Gives every boolean option of every command its hidden `--no-…` twin, so that `--flag=false` can be said. Call once, before parsing. */
export function allowBooleanValues(program: Command): void {
  for (const command of [program, ...program.commands]) {
    const names = new Set(command.options.map((option) => option.long));
    for (const option of command.options) {
      const twin = `--no-${option.long?.slice(2)}`;
      if (!option.isBoolean() || option.negate || names.has(twin)) continue;
      command.addOption(new Option(twin).hideHelp());
    }
    if (command !== program) allowBooleanValues(command);
  }
}

/**
 * Turns the forms of Go's pflag that commander does not know into those it does: `--bool=true`, `--bool=false`, `-n=value`.
 * @param argv the arguments after the program's name
 */
export function normalizeArgv(program: Command, argv: readonly string[]): string[] {
  const out: string[] = [];
  const scope: Command[] = [program];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') return [...out, ...argv.slice(i)];
    if (!word.startsWith('-') || word === '-') {
      const child = scope.at(-1)?.commands.find((command) => command.name() === word || command.aliases().includes(word));
      if (child !== undefined) scope.push(child);
      out.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const option = scope.flatMap((command) => command.options).findLast((it) => it.long === name || it.short === name);
    if (option === undefined || equals < 0) {
      out.push(word);
      if (option !== undefined && option.required && i + 1 < argv.length) out.push(argv[++i] ?? '');
      continue;
    }
    const value = word.slice(equals + 1);
    if (option.isBoolean() && TRUE.has(value)) out.push(name);
    else if (option.isBoolean() && FALSE.has(value)) out.push(`--no-${option.long?.slice(2)}`);
    else if (option.short === name) out.push(name, value);
    else out.push(word);
  }
  return out;
}

/** Collects a repeatable option whose values may also be comma-separated (pflag's StringSlice). */
export function collectList(value: string, previous: readonly string[] = []): string[] {
  return [...previous, ...value.split(',').filter((part) => part !== '')];
}
