import { spawnSync } from 'node:child_process';
import { buildOnce, contentKey, hasGo } from '../control-plane/build.ts';

/** The real programs that tests drive, pinned by the tool directives of this folder's Go module. */
export const TOOLS: Readonly<Record<string, string>> = {
  helm: 'helm.sh/helm/v4/cmd/helm',
  kustomize: 'sigs.k8s.io/kustomize/kustomize/v5',
  cosign: 'github.com/sigstore/cosign/v3/cmd/cosign',
  crane: 'github.com/google/go-containerregistry/cmd/crane',
  notation: 'github.com/notaryproject/notation/cmd/notation',
  oras: 'oras.land/oras/cmd/oras',
  registry: 'github.com/distribution/distribution/v3/cmd/registry',
};

/** Linker flags by tool: Helm takes the default capabilities' Kubernetes version from its build. */
const LDFLAGS: Readonly<Record<string, string>> = {
  helm: '-s -w -X helm.sh/helm/v4/internal/version.version=v4.2.4',
  kustomize: '-s -w -X sigs.k8s.io/kustomize/api/provenance.version=v5.8.1',
};

/** Path of a pinned program, built on first use and cached; undefined when there is no Go toolchain to build it with. */
export async function tool(name: keyof typeof TOOLS & string): Promise<string | undefined> {
  const module = TOOLS[name];
  if (module === undefined) throw new Error(`build tool "${name}": want one of ${Object.keys(TOOLS).join(', ')}`);
  if (!hasGo()) return undefined;
  const directory = import.meta.dirname;
  const key = contentKey(directory, /^go\.(mod|sum)$/);
  const ldflags = LDFLAGS[name] ?? '-s -w';
  return await buildOnce(name, key, directory, (output) => [
    'go',
    'build',
    '-p',
    '2',
    '-trimpath',
    '-ldflags',
    ldflags,
    '-o',
    output,
    module,
  ]);
}

/** Path of a program on PATH; undefined when it is not there. */
export function programOnPath(name: string): string | undefined {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

// `node build.ts [NAME…]` builds tools ahead of time and prints their paths.
if (process.argv[1] === import.meta.filename) {
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(TOOLS)) {
    process.stdout.write(`${name} ${(await tool(name)) ?? 'needs the Go toolchain'}\n`);
  }
}
