import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CredentialHelper, dockerCliCredentials, parseDockerConfig } from './docker-config.ts';
import { anonymous, type CredentialSource } from './credentials.ts';

/** The environment variables that say where docker and podman keep credentials. */
export type DockerEnvironment = {
  HOME?: string;
  DOCKER_CONFIG?: string;
  REGISTRY_AUTH_FILE?: string;
  XDG_RUNTIME_DIR?: string;
  PATH?: string;
};

/** Bytes of a credential helper's answer. */
const MAX_ANSWER = 64 * 1024;

/** Files that may hold credentials, best first (as go-containerregistry's default keychain). */
export function dockerConfigPaths(environment: DockerEnvironment): string[] {
  const paths: string[] = [];
  if (environment.DOCKER_CONFIG !== undefined && environment.DOCKER_CONFIG !== '')
    paths.push(join(environment.DOCKER_CONFIG, 'config.json'));
  else if (environment.HOME !== undefined && environment.HOME !== '') paths.push(join(environment.HOME, '.docker', 'config.json'));
  if (environment.REGISTRY_AUTH_FILE !== undefined && environment.REGISTRY_AUTH_FILE !== '') paths.push(environment.REGISTRY_AUTH_FILE);
  if (environment.XDG_RUNTIME_DIR !== undefined && environment.XDG_RUNTIME_DIR !== '')
    paths.push(join(environment.XDG_RUNTIME_DIR, 'containers', 'auth.json'));
  return paths;
}

/**
 * The credentials a user has at hand: the first docker config that exists, its helpers included; anonymous when there is none.
 * @throws RegistryError `CredentialsInvalid` when the file is broken
 */
export async function userCredentials(environment: DockerEnvironment): Promise<CredentialSource> {
  for (const path of dockerConfigPaths(environment)) {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
      throw error;
    });
    if (text !== undefined) return dockerCliCredentials(parseDockerConfig(text, path), helperProgram(environment));
  }
  return anonymous;
}

/** Runs `docker-credential-<helper> get` (docker-credential-helpers' protocol): the address on stdin, JSON on stdout. */
export function helperProgram(environment: DockerEnvironment): CredentialHelper {
  return (helper, address, signal) =>
    new Promise((resolve, reject) => {
      const child = spawn(`docker-credential-${helper}`, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], signal, env: { ...environment } });
      let output = '';
      child.stdout.setEncoding('utf8');
      child.stdout.on('data', (chunk: string) => {
        output += chunk;
        if (output.length > MAX_ANSWER) child.kill();
      });
      child.on('error', reject);
      // A helper that ends without reading its input is not an error of its own: its exit says what happened.
      child.stdin.on('error', () => undefined);
      child.on('close', (code) => {
        if (code === 0 && output.length <= MAX_ANSWER) resolve({ found: true, output });
        else if (/not found/i.test(output)) resolve({ found: false });
        else reject(new Error(`exit code ${code ?? 'none'}`));
      });
      child.stdin.end(address);
    });
}
