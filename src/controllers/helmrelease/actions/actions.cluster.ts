import { loadClusterConfig, nodeHost } from '../../../kube/index.ts';
import { actionSuite } from './testing/action-suite.ts';
import { helmCliSuite } from './testing/helm-cli-suite.ts';
import { ReleaseWorld } from './testing/release-world.ts';

const kubeconfig = process.env['SLUICE_KUBECONFIG'];
const skip = kubeconfig === undefined ? 'SLUICE_KUBECONFIG is not set' : false;

async function open(): Promise<ReleaseWorld> {
  return new ReleaseWorld(await loadClusterConfig(nodeHost, { kubeconfig: kubeconfig ?? '' }));
}

actionSuite(open, { skip });
helmCliSuite(open, kubeconfig ?? '', { skip });
