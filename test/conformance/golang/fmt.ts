import { bytesToText, canBackquote, formatFloat, formatG, quote, sprintf, type FloatFormat } from '../../../src/golang/index.ts';
import { argument } from './arguments.ts';
import { bytes, checkEach, differences, text, type Fact, type Outcome } from './suite.ts';

/** Facts about fmt, strconv, time, regexp, globs and paths. */
export function suite(facts: Iterable<unknown>): Iterable<Outcome> {
  return checkEach(facts, (fact) => {
    const check = checks[text(fact, 'kind')];
    return check === undefined ? `no check for kind ${text(fact, 'kind')}` : check(fact);
  });
}

const checks: Readonly<Record<string, (fact: Fact) => string | undefined>> = {
  sprintf(fact) {
    const have = sprintf(text(fact, 'format'), [argument(text(fact, 'arg'))]);
    return differences({ output: have }, { output: bytes(fact, 'output', bytesToText) });
  },
  formatFloat(fact) {
    const value = Buffer.from(text(fact, 'bits'), 'hex').readDoubleBE();
    const formats: Record<string, string> = {};
    for (const key of Object.keys(fact['formats'] as object))
      formats[key] = formatFloat(value, key[0] as FloatFormat, Number(key.slice(1)));
    const have = { formats, g32: formatFloat(Math.fround(value), 'g', -1, 32), print: formatG(value) };
    return differences(have, { formats: fact['formats'], g32: fact['g32'], print: fact['print'] });
  },
  quote(fact) {
    const input = bytes(fact, 'input', bytesToText) ?? '';
    const have = { quote: quote(input), ascii: quote(input, 'ascii'), graphic: quote(input, 'graphic'), canBackquote: canBackquote(input) };
    return differences(have, { quote: fact['quote'], ascii: fact['ascii'], graphic: fact['graphic'], canBackquote: fact['canBackquote'] });
  },
};
