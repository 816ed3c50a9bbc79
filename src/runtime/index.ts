export { formatKey, parseKey, type Key } from './key.ts';
export {
  periodicTriggers,
  supersedingTriggers,
  type Continuation,
  type Controller,
  type Outcome,
  type ReconcileContext,
  type Trigger,
  type Wait,
  type WakeCause,
} from './outcome.ts';
export { KeyQueue, type QueueItem } from './queue.ts';
export { ControllerRunner, type RunnerOptions } from './runner.ts';
export { ResourceView, type ViewHandler } from './resource-view.ts';
export { StatusWriter, type StatusObject } from './status-writer.ts';
export { deepEqual, mergePatch } from './merge-patch.ts';
export {
  KubeEventRecorder,
  type EventNotice,
  type EventRecorder,
  type EventRecorderOptions,
  type EventSink,
  type InvolvedObject,
  type PostedEvent,
} from './events.ts';
export { httpEventSink } from './http-sink.ts';
export { createMetrics, type Metrics, type ReconcileResult } from './metrics.ts';
export { createLogger, lineWriter, logLevels, silentLogger, type LogEncoding, type LogFields, type Logger, type LogLevel } from './log.ts';
export { parseFeatureGates, type FeatureGates } from './feature-gates.ts';
export { ConditionSet } from './condition-set.ts';
export { configData, ConfigReader, type ConfigData, type ConfigKind } from './config-reader.ts';
export { StatusSession } from './status-session.ts';
export { changeTrigger } from './change-trigger.ts';
export { watchLabelSelector } from './config-reader.ts';
