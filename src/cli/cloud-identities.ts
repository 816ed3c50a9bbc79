import { readFile } from 'node:fs/promises';
import type { Identities } from '../controllers/source/index.ts';
import type { KubeClient } from '../kube/index.ts';
import { createCloudLogins, type TokenCacheOptions } from '../oci/index.ts';
import type { FeatureGates } from '../runtime/index.ts';
import { CodedError, type Clock } from '../std/index.ts';
import { environmentProxy } from './artifact-registry.ts';

/** How long a token of a ServiceAccount lives: it is traded in at once, and the API server gives none shorter. */
const TOKEN_SECONDS = 600;

/** Logins to cloud providers as this process can do them: its environment, its files, tokens from its API server. */
export function cloudIdentities(options: {
  kube: KubeClient;
  clock: Clock;
  random: () => number;
  gates: FeatureGates;
  defaultServiceAccount: string;
  tokenCache?: TokenCacheOptions;
}): Identities {
  const { kube, clock, random, gates, defaultServiceAccount } = options;
  return {
    logins: createCloudLogins(
      { clock, random, env: process.env, readFile: (path) => readFile(path, 'utf8'), proxy: environmentProxy(process.env) },
      options.tokenCache,
    ),
    createToken: (account, audiences, signal) => createToken(kube, account, audiences, signal),
    objectLevel: gates.enabled('ObjectLevelWorkloadIdentity'),
    defaultServiceAccount,
  };
}

/** A token of a ServiceAccount (TokenRequest, `serviceaccounts/token`). @throws KubeError, CodedError */
async function createToken(
  kube: KubeClient,
  { namespace, name }: { namespace: string; name: string },
  audiences: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { text } = await kube.raw({
    method: 'POST',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences, expirationSeconds: TOKEN_SECONDS } },
    accept: 'application/json',
    signal,
  });
  const answer: unknown = JSON.parse(text);
  const status: unknown = typeof answer === 'object' && answer !== null && 'status' in answer ? answer.status : undefined;
  const token: unknown = typeof status === 'object' && status !== null && 'token' in status ? status.token : undefined;
  if (typeof token === 'string' && token !== '') return token;
  const subject = `ServiceAccount/${namespace}/${name}`;
  throw new CodedError({
    code: 'TokenMissing',
    message: `create token of ServiceAccount "${namespace}/${name}": the answer has none`,
    subject,
  });
}
