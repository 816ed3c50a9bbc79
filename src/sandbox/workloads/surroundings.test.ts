import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Lab, openLab } from './testing/lab.ts';

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example.com/web:1", ports: [{name: http, containerPort: 8080}]}]}
`;

describe('what surrounds workloads', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = openLab();
  });
  afterEach(() => lab.close());
  const service = (spec: string): string => `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {${spec}}}`;

  it('a Service gets an address, and endpoints at the ports of its ready pods', async () => {
    await lab.apply(`${WEB}---\n${service('selector: {app: web}, ports: [{port: 80, targetPort: http}]')}`);
    assert.match(String((lab.get('/services', 'web')['spec'] as Record<string, unknown>)['clusterIP']), /^10\.96\./);
    const [slice] = lab
      .list('discovery.k8s.io/endpointslices', 'default')
      .filter((item) => item.metadata.labels?.['kubernetes.io/service-name'] === 'web');
    const endpoints = slice?.['endpoints'] as { conditions: { ready: boolean } }[];
    assert.deepEqual([endpoints.length, endpoints.every((item) => item.conditions.ready)], [2, true]);
    assert.deepEqual(slice?.['ports'], [{ name: '', port: 8080, protocol: 'TCP' }]);
    const [subset] = lab.get('/endpoints', 'web')['subsets'] as { addresses: unknown[] }[];
    assert.equal(subset?.addresses.length, 2);
    await lab.apply(WEB.replace('replicas: 2', 'replicas: 0'));
    assert.deepEqual(lab.get('discovery.k8s.io/endpointslices', slice?.metadata.name ?? '')['endpoints'], []);
    assert.equal(lab.get('/endpoints', 'web')['subsets'], undefined);
  });

  it('load balancers and Ingresses get an address from outside', async () => {
    await lab.apply(service('type: LoadBalancer, ports: [{port: 80}]'));
    await lab.apply(
      '{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}, spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}}',
    );
    for (const collection of ['/services', 'networking.k8s.io/ingresses']) {
      const balancer = lab.status(collection, 'web')['loadBalancer'] as { ingress: { ip: string }[] };
      assert.equal(balancer.ingress[0]?.ip, '203.0.113.10');
    }
  });

  it('a claim is Bound to a new volume, or to the one that was made for it', async () => {
    const claim = (name: string, more = ''): string =>
      `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ${name}}, spec: {accessModes: [ReadWriteOnce], ${more} resources: {requests: {storage: 3Gi}}}}`;
    await lab.apply(`${claim('fresh')}\n---\n${claim('named', 'storageClassName: "", volumeName: disk,')}`);
    const { phase, capacity } = lab.status('/persistentvolumeclaims', 'fresh');
    assert.deepEqual([phase, capacity], ['Bound', { storage: '3Gi' }]);
    assert.notEqual(lab.status('/persistentvolumeclaims', 'named')['phase'], 'Bound');
    await lab.apply(
      '{apiVersion: v1, kind: PersistentVolume, metadata: {name: disk}, spec: {capacity: {storage: 9Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}, persistentVolumeReclaimPolicy: Retain}}',
    );
    assert.deepEqual(lab.status('/persistentvolumeclaims', 'named')['capacity'], { storage: '9Gi' });
    for (const name of ['fresh', 'named']) lab.ask('DELETE', `/api/v1/namespaces/default/persistentvolumeclaims/${name}`);
    await lab.settle();
    const volumes = lab.list('/persistentvolumes').map((item) => `${item.metadata.name} ${(item['status'] as { phase: string }).phase}`);
    assert.deepEqual(volumes, ['disk Released']);
  });

  it('an autoscaler keeps its target in bounds and is able to scale', async () => {
    await lab.apply(WEB);
    await lab.apply(
      '{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {minReplicas: 3, maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}}',
    );
    assert.equal(lab.status('apps/deployments', 'web')['availableReplicas'], 3);
    const { currentReplicas, desiredReplicas } = lab.status('autoscaling/horizontalpodautoscalers', 'web');
    assert.deepEqual([currentReplicas, desiredReplicas], [3, 3]);
    assert.match(lab.condition('autoscaling/horizontalpodautoscalers', 'web', 'ScalingActive'), /^True ValidMetricFound/);
    const scaled = lab.get('apps/deployments', 'web').metadata.managedFields?.find((item) => item.subresource === 'scale');
    assert.deepEqual(scaled?.fieldsV1, { 'f:spec': { 'f:replicas': {} } });
  });

  for (const [spec, expected] of [
    ['minAvailable: 1', { currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 2 }],
    ['maxUnavailable: "50%"', { currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 2 }],
    ['minAvailable: "100%"', { currentHealthy: 2, desiredHealthy: 2, disruptionsAllowed: 0, expectedPods: 2 }],
  ] as const) {
    it(`a disruption budget counts with ${spec}`, async () => {
      await lab.apply(WEB);
      await lab.apply(
        `{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web}, spec: {${spec}, selector: {matchLabels: {app: web}}}}`,
      );
      const { currentHealthy, desiredHealthy, disruptionsAllowed, expectedPods } = lab.status('policy/poddisruptionbudgets', 'web');
      assert.deepEqual({ currentHealthy, desiredHealthy, disruptionsAllowed, expectedPods }, expected);
    });
  }
});
