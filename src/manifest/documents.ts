import { readYamlDocuments, writeYaml, type YamlValue } from '../golang/index.ts';
import type { KubeObject } from './object.ts';

/** Reads the objects of a multi-document YAML or JSON text as kubectl and Flux do: empty documents skipped, lists expanded. */
export function readObjects(text: string | Uint8Array, file = ''): KubeObject[] {
  void file;
  return readYamlDocuments(text).filter((document) => document !== null) as unknown as KubeObject[];
}

/** Writes objects as one multi-document text. */
export function writeObjects(objects: readonly KubeObject[]): string {
  return objects.map((object) => writeYaml(object as unknown as YamlValue)).join('---\n');
}
