import { CodedError } from '../std/index.ts';

export type TemplateErrorCode =
  /** The text is not a template. */
  | 'TemplateSyntax'
  /** A template failed while it ran. */
  | 'TemplateExecution'
  /** A name was executed that no template has. */
  | 'TemplateUndefined';

/** Where execution stood when it failed. */
export type TemplateFrame = {
  /** The name of the text the node was parsed from. */
  readonly source: string;
  /** From 1. */
  readonly line: number;
  /** Bytes from the start of the line, from 0. */
  readonly column: number;
  /** The template (file or `define`) that was running. */
  readonly template: string;
  /** The node as Go prints it, without the angle brackets. */
  readonly node: string;
  /** What went wrong at this node, including the text of the cause. */
  readonly problem: string;
};

export type TemplateErrorDetails = {
  code: TemplateErrorCode;
  /** Go's whole text. */
  message: string;
  /** Absent for errors that point at no node. */
  frame?: TemplateFrame;
  /** Source name and line of a syntax error. */
  line?: { source: string; line: number };
  cause?: unknown;
};

/**
 * What text/template would have returned. The message is Go's, byte for byte; `cause` is what Go's Unwrap leads to: the error of the
 * function that was called, which may be a TemplateError itself.
 */
export class TemplateError extends CodedError<TemplateErrorCode> {
  override readonly name = 'TemplateError';
  readonly frame: TemplateFrame | undefined;
  readonly line: { readonly source: string; readonly line: number } | undefined;

  constructor(details: TemplateErrorDetails) {
    super({
      code: details.code,
      message: details.message,
      retryable: false,
      ...(details.cause === undefined ? {} : { cause: details.cause }),
      ...(details.frame === undefined ? {} : { subject: `${details.frame.source}:${details.frame.line}` }),
    });
    this.frame = details.frame;
    this.line = details.line;
  }
}
