import { isMap, type Json } from '../fields/index.ts';

/** Applies an RFC 7386 patch: null removes, maps merge, everything else replaces. */
export function applyMergePatch(document: Json | undefined, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const out = Object.assign(Object.create(null) as Record<string, Json>, isMap(document) ? document : {});
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = applyMergePatch(out[key], value);
  }
  return out;
}
