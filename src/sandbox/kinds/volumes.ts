import { type Json, sameJson } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import { forbiddenField, required, unsupported } from './faults.ts';
import { mapAt, mapIn, setDefault } from './pod-defaults.ts';
import type { Draft, Draft0, KindRules } from './rules.ts';

const specOf = (object: Draft): Draft0 => mapIn(object, 'spec');
const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];

/** Keeps what is in use from going: the finalizer that admission sets on claims and volumes. */
function protect(object: Draft, finalizer: string): void {
  const { finalizers = [] } = object.metadata;
  if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
}

const persistentVolumeClaim: KindRules = {
  defaults: (object) => setDefault(specOf(object), 'volumeMode', 'Filesystem'),
  prepareCreate: (object) => {
    object['status'] = { phase: 'Pending' };
    protect(object, 'kubernetes.io/pvc-protection');
  },
  validate: (object, old) => {
    const faults = claimFaults(mapAt(object, 'spec'));
    if (old === undefined) return faults;
    const [now, before] = [{ ...mapAt(object, 'spec') }, { ...mapAt(old, 'spec') }];
    for (const it of [now, before]) for (const field of ['volumeName', 'resources', 'volumeAttributesClassName']) delete it[field];
    if (sameJson(now as Json, before as Json)) return faults;
    const text = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    return [...faults, forbiddenField('spec', text)];
  },
};

function accessModeFaults(spec: Draft0 | undefined, detail: string): FieldFault[] {
  const modes = Array.isArray(spec?.['accessModes']) ? (spec['accessModes'] as unknown[]) : [];
  if (modes.length === 0) return [required('spec.accessModes', detail)];
  return modes.filter((it) => !ACCESS_MODES.includes(String(it))).map((it) => unsupported('spec.accessModes', it, ACCESS_MODES));
}

function claimFaults(spec: Draft0 | undefined): FieldFault[] {
  const faults = accessModeFaults(spec, 'at least 1 access mode is required');
  if (mapAt(mapAt(spec, 'resources'), 'requests')?.['storage'] === undefined) faults.push(required('spec.resources[storage]'));
  return faults;
}

const persistentVolume: KindRules = {
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'persistentVolumeReclaimPolicy', 'Retain');
    setDefault(spec, 'volumeMode', 'Filesystem');
    const hostPath = mapAt(spec, 'hostPath');
    if (hostPath !== undefined) setDefault(hostPath, 'type', '');
  },
  prepareCreate: (object) => {
    object['status'] = { phase: 'Pending', lastPhaseTransitionTime: object.metadata.creationTimestamp };
    protect(object, 'kubernetes.io/pv-protection');
  },
  validate: (object) => {
    const spec = mapAt(object, 'spec');
    const faults = accessModeFaults(spec, '');
    const capacity = mapAt(spec, 'capacity') ?? {};
    if (Object.keys(capacity).length === 0) faults.push(required('spec.capacity'));
    if (capacity['storage'] === undefined || Object.keys(capacity).length > 1)
      faults.push(unsupported('spec.capacity', mapAt(spec, 'capacity') ?? null, ['storage']));
    const policy = spec?.['persistentVolumeReclaimPolicy'];
    if (!RECLAIM_POLICIES.includes(String(policy)))
      faults.push(unsupported('spec.persistentVolumeReclaimPolicy', policy, RECLAIM_POLICIES));
    if (spec !== undefined && !VOLUME_SOURCES.some((it) => spec[it] !== undefined))
      faults.push(required('spec', 'must specify a volume type'));
    return faults;
  },
};

const VOLUME_SOURCES = [
  'hostPath',
  'csi',
  'nfs',
  'local',
  'iscsi',
  'fc',
  'awsElasticBlockStore',
  'gcePersistentDisk',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'flexVolume',
  'flocker',
  'glusterfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
];

const storageClass: KindRules = {
  defaults: (object) => {
    setDefault(object, 'reclaimPolicy', 'Delete');
    setDefault(object, 'volumeBindingMode', 'Immediate');
  },
};

/** Claims, volumes and storage classes. */
export const volumeRules: Readonly<Record<string, KindRules>> = {
  '/persistentvolumeclaims': persistentVolumeClaim,
  '/persistentvolumes': persistentVolume,
  'storage.k8s.io/storageclasses': storageClass,
};
