const WORDS = 'refused as well, in other words or with another count of causes';
const MANAGER = 'the control plane of the tests writes this status under its own name; a real cluster says kube-apiserver, as the sandbox';
const CONTROLLER = 'the sandbox runs the controller of autoscalers, the control plane of the tests does not';
const VERSIONS =
  'a version of a CRD may declare a field that another one lacks: the real server fails to convert, the sandbox does not look';
const CEL = 'CEL rules are parsed and evaluated, not compiled: types are not checked, messages are not those of cel-go, no optionals';
const BINDING = 'pods are bound by the sandbox itself: the binding endpoint takes nothing';
const FINALIZE = 'namespaces have the one finalizer of Kubernetes, which goes when they are empty';
const WINDOW = 'the sandbox remembers 20,000 changes, a new one all of them: nothing is too old yet';
const EMBEDDED = 'the metadata of an embedded object is kept as it is';

/** Cases in which the sandbox answers otherwise than a real API server, and why. One that becomes equal must leave the list. */
export const knownDifferences: Readonly<Record<string, string>> = {
  'definition is established': MANAGER,
  'merge patch: another kind': WORDS,
  'a namespace finalized': FINALIZE,
  'an autoscaler in both versions': CONTROLLER,
  'a binding': BINDING,
  'watch: a revision long gone': WINDOW,
  'crd: an embedded object': EMBEDDED,
  'crd: several versions': VERSIONS,
  'crd: names and conditions': MANAGER,
  'cel: an optional old self': CEL,
  'refused: a rule that cannot be read': CEL,
  'refused: a rule about what is not there': CEL,
  'refused: a rule that is no bool': CEL,
};
