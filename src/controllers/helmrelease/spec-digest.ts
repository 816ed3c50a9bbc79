import type { HelmRelease } from '../../api/index.ts';
import { encodeJson, encodeJsonString, type YamlObject } from '../../golang/index.ts';
import { digestOf } from '../../std/index.ts';

/** Hash of `postRenderers`, as Flux computes it; empty without any (HB33). */
export function postRenderersDigest({ spec }: HelmRelease): string {
  const { postRenderers } = spec;
  if (postRenderers === undefined) return '';
  const renderers = postRenderers.map(({ kustomize }) =>
    struct([
      [
        'kustomize',
        kustomize === undefined
          ? undefined
          : struct([
              ['patches', list((kustomize.patches ?? []).map(({ patch, target }) => patchJson(patch, target)))],
              ['images', list((kustomize.images ?? []).map((image) => texts(image, ['name', 'newName', 'newTag', 'digest'])))],
            ]),
      ],
    ]),
  );
  return digestOf(`[${renderers.join(',')}]\n`);
}

const SELECTOR = ['group', 'version', 'kind', 'namespace', 'name', 'annotationSelector', 'labelSelector'] as const;

function patchJson(patch: string, target: Readonly<Record<string, unknown>> | undefined): string {
  return struct([
    ['patch', encodeJsonString(patch)],
    ['target', target === undefined ? undefined : texts(target, SELECTOR)],
  ]);
}

/** Hash of `commonMetadata`; empty without any (HB33). */
export function commonMetadataDigest({ spec }: HelmRelease): string {
  const { commonMetadata } = spec;
  if (commonMetadata === undefined) return '';
  return digestOf(`${struct([map('annotations', commonMetadata.annotations), map('labels', commonMetadata.labels)])}\n`);
}

type Field = readonly [name: string, json: string | undefined];

function map(name: string, values: Readonly<Record<string, string>> | undefined): Field {
  return [name, values === undefined || Object.keys(values).length === 0 ? undefined : encodeJson(values as YamlObject)];
}

/** The JSON of a struct with these texts; those that are not there are left out. */
function texts(values: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  return struct(
    names.map((name) => {
      const value = values[name];
      return [name, typeof value === 'string' && value !== '' ? encodeJsonString(value) : undefined];
    }),
  );
}

function list(items: readonly string[]): string | undefined {
  return items.length === 0 ? undefined : `[${items.join(',')}]`;
}

function struct(fields: readonly Field[]): string {
  return `{${fields.flatMap(([name, json]) => (json === undefined ? [] : [`${encodeJsonString(name)}:${json}`])).join(',')}}`;
}
