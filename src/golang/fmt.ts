import { budgetExceeded } from './go-error.ts';
import { sprintfInto } from './fmt-directive.ts';
import { Printer } from './fmt-printer.ts';
import { formatG } from './float-format.ts';
import { MAX_TEXT } from './limits.ts';
import { joinText } from './text.ts';
import type { GoValue } from './value.ts';

/** fmt.Sprintf. Wrong verbs, missing and extra arguments give Go's `%!d(string=x)` forms, never an error. */
export function sprintf(format: string, args: readonly GoValue[]): string {
  const printer = new Printer();
  sprintfInto(printer, format, args);
  return finished(printer);
}

/** fmt.Sprint: `%v` of each, with a space between two operands when neither is a string. */
export function sprint(args: readonly GoValue[]): string {
  if (args.length === 1) return formatValue(args[0]);
  const printer = new Printer();
  let afterString = false;
  for (const [i, arg] of args.entries()) {
    const isString = typeof arg === 'string';
    if (i > 0 && !isString && !afterString) printer.write(' ');
    printer.printArg(arg, 'v');
    afterString = isString;
  }
  return finished(printer);
}

/** fmt.Sprintln: `%v` of each, always a space between, a newline at the end. */
export function sprintln(args: readonly GoValue[]): string {
  const printer = new Printer();
  for (const [i, arg] of args.entries()) {
    if (i > 0) printer.write(' ');
    printer.printArg(arg, 'v');
  }
  printer.write('\n');
  return finished(printer);
}

/** The `%v` text of one value: what a template action prints (nil and missing print `<nil>` here). */
export function formatValue(value: GoValue): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return formatG(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default: {
      const printer = new Printer();
      printer.printArg(value, 'v');
      return finished(printer);
    }
  }
}

function finished(printer: Printer): string {
  if (printer.out.length > MAX_TEXT) throw budgetExceeded('length of a formatted text', MAX_TEXT);
  return joinText(printer.out);
}
