import type { Kustomization } from '../../api/index.ts';
import { formatObjectRef, objectRef, type KubeObject } from '../../manifest/index.ts';
import { configData, type ConfigReader } from '../../runtime/index.ts';
import { CodedError, digestOf } from '../../std/index.ts';
import { prepareVariables, substituteObject, type Variables } from '../../substitute/index.ts';

/** The variables of `spec.postBuild`, and a hash of them. */
export type PostBuild = { variables: Variables; hash: string };

/**
 * Reads the variables of `spec.postBuild`: ConfigMaps and Secrets in order, then the inline ones (KB40, KB41). Undefined when there is no
 * `postBuild`.
 * @throws CodedError `ConfigNotFound` for a missing object that is not optional; SubstitutionError for a bad name
 */
export async function readVariables(object: Kustomization, configs: ConfigReader): Promise<PostBuild | undefined> {
  const { postBuild } = object.spec;
  if (postBuild === undefined) return undefined;
  const { namespace } = object.metadata;
  const sources = await Promise.all(
    (postBuild.substituteFrom ?? []).map(async ({ kind, name, optional }) => {
      const found = await configs.find(kind, namespace, name);
      if (found !== undefined)
        return Object.entries(configData(found).data).map(([key, bytes]) => [key, Buffer.from(bytes).toString()] as const);
      if (optional) return [];
      throw new CodedError({
        code: 'ConfigNotFound',
        message: `substitute from '${kind}/${name}' error: ${kind} "${namespace}/${name}" not found`,
        subject: `${kind}/${namespace}/${name}`,
        remedy: `create it, or set optional: true`,
      });
    }),
  );
  const variables = prepareVariables([...sources, Object.entries(postBuild.substitute ?? {})]);
  return { variables, hash: digestOf(JSON.stringify([...variables])) };
}

/** Replaces variables in every object (KB40–KB48). @throws SubstitutionError naming the object */
export function substituteAll(
  objects: readonly KubeObject[],
  object: Kustomization,
  postBuild: PostBuild | undefined,
  strict: boolean,
): KubeObject[] {
  if (postBuild === undefined) return [...objects];
  const always = object.spec.postBuild?.substituteStrategy === 'Always';
  return objects.map((one) => substituteObject(one, postBuild.variables, { strict, always }, `'${formatObjectRef(objectRef(one))}'`));
}
