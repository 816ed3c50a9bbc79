/** Which object to reconcile: namespace and name. */
export type Key = { namespace: string; name: string };

/** A key as one string, `namespace/name`. */
export function formatKey(key: Key): string {
  return `${key.namespace}/${key.name}`;
}

/** Reads `namespace/name`. */
export function parseKey(text: string): Key {
  const slash = text.indexOf('/');
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
