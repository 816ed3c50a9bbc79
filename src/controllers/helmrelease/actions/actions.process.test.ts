import { clusterConfig, nodeHost, parseKubeconfig } from '../../../kube/index.ts';
import { startSandbox } from '../../../sandbox/index.ts';
import { milliseconds } from '../../../std/index.ts';
import { actionSuite } from './testing/action-suite.ts';
import { ReleaseWorld } from './testing/release-world.ts';

class SandboxWorld extends ReleaseWorld {
  stop: () => Promise<void> = async () => {};

  override async close(): Promise<void> {
    await super.close();
    await this.stop();
  }
}

actionSuite(
  async () => {
    const sandbox = await startSandbox({ podStart: milliseconds(20), fateDomains: ['control-plane.test'] });
    const world = new SandboxWorld(await clusterConfig(parseKubeconfig(sandbox.kubeconfig), nodeHost));
    world.stop = () => sandbox.close();
    return world;
  },
  { skip: false },
);
