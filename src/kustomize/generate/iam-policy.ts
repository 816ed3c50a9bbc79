import type { YamlValue } from '../../golang/index.ts';
import type { BuildContext } from '../build-context.ts';
import { KustomizeError } from '../errors.ts';
import { decodeInto, STRING, structOf, type GoShape } from '../go-decode.ts';
import { Resource } from '../resource.ts';
import type { Mapping } from '../value.ts';

/** What an IAMPolicyGenerator is told. */
export type IamPolicyFields = {
  cloud?: string;
  kubernetesService?: { name?: string; namespace?: string };
  serviceAccount?: { name?: string; projectId?: string };
};

const SHAPE: GoShape = structOf('IAMPolicyGeneratorArgs', {
  cloud: STRING,
  kubernetesService: structOf('KubernetesService', { name: STRING, namespace: STRING }),
  serviceAccount: structOf('ServiceAccount', { name: STRING, projectId: STRING }),
});

/** Reads the configuration of an IAMPolicyGenerator. */
export function parseIamPolicy(config: YamlValue): IamPolicyFields {
  return (decodeInto(config, SHAPE, 'lenient') ?? {}) as IamPolicyFields;
}

/** Generates a ServiceAccount bound to one of Google Cloud. */
export function generateIamPolicy(fields: IamPolicyFields, context: BuildContext): Resource {
  const { cloud = '', kubernetesService = {}, serviceAccount = {} } = fields;
  if (cloud !== 'gke') throw new KustomizeError('GeneratorFailed', `cloud provider ${cloud} not supported yet`);
  const account = `${serviceAccount.name ?? ''}@${serviceAccount.projectId ?? ''}.iam.gserviceaccount.com`;
  const metadata: Mapping = { annotations: { 'iam.gke.io/gcp-service-account': account }, name: kubernetesService.name ?? '' };
  const { namespace = '' } = kubernetesService;
  if (namespace !== '') metadata['namespace'] = namespace;
  return new Resource({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, context.schemas);
}
