import {
  DEFAULT_YAML_LIMITS,
  EVENT_SCALAR,
  EVENT_STREAM_END,
  PLAIN_STYLE,
  resolveScalar,
  YamlParser,
  yamlSource,
} from '../../golang/index.ts';

/**
 * The whole numbers a YAML text writes as floats: `72445e2` is 7244500, but as text it is `7.2445e+06`. A commit's hash may look like
 * that. A text that writes the same number in both ways is read as if it were always a float.
 * @throws GoError for text that is no YAML
 */
export function wholeFloats(text: string): ReadonlySet<number> {
  const found = new Set<number>();
  const events = new YamlParser(yamlSource(text, DEFAULT_YAML_LIMITS), false);
  for (events.next(); events.type !== EVENT_STREAM_END; events.next()) {
    if (events.type !== EVENT_SCALAR || events.style !== PLAIN_STYLE || !/^[-+]?[0-9.]/.test(events.value)) continue;
    const { value } = resolveScalar('', events.value, false);
    if (typeof value === 'number' && Number.isInteger(value)) found.add(value);
  }
  return found;
}
