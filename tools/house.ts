// The rooms of src/ and which doors each may open (docs/architecture.md). `check-house` fails on anything else.

/** Rooms below every controller: each may import only the rooms listed. */
const FOUNDATIONS: Readonly<Record<string, readonly string[]>> = {
  std: [],
  golang: ['std'],
  api: ['std'],
  manifest: ['std', 'golang'],
  oci: ['std'],
  artifact: ['std', 'manifest'],
  verify: ['std', 'golang'],
  kustomize: ['std', 'golang', 'manifest'],
  gotemplate: ['std', 'golang'],
  helm: ['std', 'golang', 'manifest', 'gotemplate'],
  substitute: ['std', 'golang'],
  decrypt: ['std', 'golang'],
  cel: ['std'],
  kube: ['std', 'manifest'],
  health: ['std', 'manifest', 'cel'],
  apply: ['std', 'manifest', 'kube', 'health'],
  runtime: ['std', 'api', 'manifest', 'kube'],
  sandbox: ['std', 'golang', 'manifest', 'api', 'oci', 'cel'],
};

const BELOW = Object.keys(FOUNDATIONS).filter((room) => room !== 'sandbox');
/** What controllers that apply objects share. */
const APPLIER = 'controllers/applier';
const CONTROLLERS = ['controllers/source', 'controllers/kustomization', 'controllers/helmrelease', 'controllers/notification'];

/** Every room and what it may import. Controllers do not import each other. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  ...FOUNDATIONS,
  [APPLIER]: BELOW,
  ...Object.fromEntries(CONTROLLERS.map((room) => [room, BELOW])),
  'controllers/kustomization': [...BELOW, APPLIER],
  'controllers/helmrelease': [...BELOW, APPLIER],
  server: [...BELOW, 'sandbox', APPLIER, ...CONTROLLERS],
  cli: [...BELOW, 'sandbox', APPLIER, ...CONTROLLERS, 'server'],
};

/** Folder names that say nothing. */
export const VAGUE_NAMES: readonly string[] = ['utils', 'util', 'helpers', 'common', 'types', 'shared', 'misc', 'lib'];
