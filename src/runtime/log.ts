import { errorMessage, isCodedError, redact, type Clock } from '../std/index.ts';

/** Levels in rising order of importance, as Flux's --log-level takes them. */
export const logLevels = ['trace', 'debug', 'info', 'error'] as const;

/** How important a line is. */
export type LogLevel = (typeof logLevels)[number];

/** A constant message with fields; `with` gives a logger that adds its own to each line. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  error(message: string, error: unknown, fields?: LogFields): void;
  with(fields: LogFields): Logger;
}

/** Fields of a line. Values are written as JSON. */
export type LogFields = Readonly<Record<string, unknown>>;

/** How lines are written: `json` in zap's shape (level, ts, msg, …) as the flux CLI reads them, `console` for people. */
export type LogEncoding = 'json' | 'console';

/** A logger that hands each finished line to `write`. Text passes through `redact`. */
export function createLogger(options: { clock: Clock; level: LogLevel; encoding: LogEncoding; write: (line: string) => void }): Logger {
  const least = logLevels.indexOf(options.level);
  const logger = (base: LogFields): Logger => {
    const line = (level: LogLevel, message: string, fields: LogFields): void => {
      if (logLevels.indexOf(level) < least) return;
      const ts = new Date(options.clock.now()).toISOString();
      const entry = { level, ts, msg: redact(message), ...base, ...fields };
      options.write(options.encoding === 'json' ? JSON.stringify(entry) : consoleLine(entry));
    };
    return {
      trace: (message, fields = {}) => line('trace', message, fields),
      debug: (message, fields = {}) => line('debug', message, fields),
      info: (message, fields = {}) => line('info', message, fields),
      error: (message, error, fields = {}) => line('error', message, { ...fields, ...errorFields(error) }),
      with: (fields) => logger({ ...base, ...fields }),
    };
  };
  return logger({});
}

/**
 * Writes lines together, those of one turn of the event loop at once: each write to a pipe holds the process up and wakes its reader.
 * @param write takes whole lines with their ends; `flush` hands over what is left, for the end of the process
 */
export function lineWriter(write: (text: string) => void): { line: (line: string) => void; flush: () => void } {
  let text = '';
  const flush = (): void => {
    if (text === '') return;
    const lines = text;
    text = '';
    write(lines);
  };
  return {
    line: (line) => {
      if (text === '') setImmediate(flush);
      text += `${line}\n`;
    },
    flush,
  };
}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  error: () => {},
  with: () => silentLogger,
};

function errorFields(error: unknown): LogFields {
  const fields: Record<string, unknown> = { error: redact(errorMessage(error)) };
  if (isCodedError(error)) {
    fields['code'] = error.code;
    if (error.remedy !== undefined) fields['remedy'] = error.remedy;
  } else if (error instanceof Error) {
    // Not one of ours, so a bug: the stack says where.
    fields['stacktrace'] = error.stack;
  }
  return fields;
}

function consoleLine(entry: { level: LogLevel; ts: string; msg: string }): string {
  const { level, ts, msg, ...fields } = entry;
  const rest = Object.keys(fields).length === 0 ? '' : `\t${JSON.stringify(fields)}`;
  return `${ts}\t${level.toUpperCase()}\t${msg}${rest}`;
}
