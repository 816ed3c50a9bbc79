import { readFact, type Verdict } from './yaml-fact.ts';
import { decodeAll, decodeFirst } from './yaml-decoded.ts';

/** Checks the facts of yaml-decode.jsonl: what sigs.k8s.io/yaml, yaml.v3 and kustomize's reader make of a text. */
export function* suite(lines: Iterable<unknown>): Iterable<Verdict> {
  for (const line of lines) {
    const fact = readFact(line);
    yield* decodeFirst(fact);
    yield* decodeAll(fact);
  }
}
