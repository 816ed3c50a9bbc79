import { GoMap, mapFromYaml, type GoValue } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { unmarshalYamlMap } from '../chart/struct-decode.ts';
import { helmError } from '../errors.ts';

/**
 * Reads a values file: its documents are merged, later ones win. Numbers are float64, as everywhere after sigs.k8s.io/yaml.
 * @throws CodedError `ValuesInvalid` with Helm's text
 */
export function readValuesDocuments(text: string): GoMap {
  let values = new GoMap();
  for (const document of splitDocuments(text)) {
    values = mergeMaps(values, readDocument(document));
  }
  return values;
}

function readDocument(text: string): GoMap {
  try {
    const document = unmarshalYamlMap(text);
    return document === undefined ? new GoMap() : mapFromYaml(document);
  } catch (error) {
    throw helmError('ValuesInvalid', `cannot unmarshal yaml document: ${errorMessage(error)}`, { cause: error });
  }
}

/** Documents as apimachinery's YAMLReader cuts them: at lines that begin with `---`, where only blanks or a comment may follow. */
function* splitDocuments(text: string): Generator<string> {
  if (!/^---/m.test(text)) {
    if (text !== '') yield withFinalNewline(text);
    return;
  }
  let document = '';
  for (const line of text.replace(/\r?\n$/, '').split(/\r?\n/)) {
    if (line.startsWith('---')) {
      const rest = line.slice(3).trim();
      if (rest !== '' && !rest.startsWith('#'))
        throw helmError('ValuesInvalid', `error reading yaml document: invalid Yaml document separator: ${rest}`);
      if (document !== '') {
        yield document;
        document = '';
        continue;
      }
    }
    document += `${line}\n`;
  }
  if (document !== '') yield document;
}

function withFinalNewline(text: string): string {
  const unix = text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text;
  return unix.endsWith('\n') ? unix : `${unix}\n`;
}

/** `b` over `a`, maps merged all the way down. Neither is changed; the result shares what it takes over. */
export function mergeMaps(a: GoMap, b: GoMap): GoMap {
  if (a.size === 0) return b;
  const out = a.clone();
  for (const [key, value] of b.entries()) {
    const existing: GoValue = out.get(key);
    out.set(key, value instanceof GoMap && existing instanceof GoMap ? mergeMaps(existing, value) : value);
  }
  return out;
}
