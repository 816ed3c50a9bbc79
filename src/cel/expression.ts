import { Environment } from '@marcbachmann/cel-js';
import { CodedError, errorMessage } from '../std/index.ts';
import { registerExtensions } from './functions.ts';
import { rewrite, type Shape } from './rewrite.ts';
import { toCelValue, type CelValue, type Extent } from './values.ts';

/** Every way an expression fails. */
export type CelErrorCode = 'InvalidCELExpression' | 'CELEvaluationFailed' | 'LimitExceeded';

/** Variables of an expression: JSON-like values by name. */
export type Variables = Readonly<Record<string, unknown>>;

/** A parsed expression. Parse once, evaluate often. */
export interface Expression {
  readonly source: string;
  /** The value as JSON-like data: `int` as bigint, maps as Map. @throws CodedError `CELEvaluationFailed`, `LimitExceeded` */
  evaluate(variables: Variables): unknown;
  /** As {@link evaluate}, for expressions that must be true or false. */
  evaluateBoolean(variables: Variables): boolean;
  evaluateString(variables: Variables): string;
}

/** Text of an expression, in UTF-16 units. */
const SOURCE_LIMIT = 16 << 10;
const NODE_LIMIT = 4000;
const NESTING_LIMIT = 64;
/** Steps one evaluation may take at most: nodes times the longest list, for each level of nested comprehensions. About a second. */
const COST_LIMIT = 10_000_000;

let shared: Environment | undefined;

/** Flux's environment: undeclared variables are dynamic, numbers compare across types, optionals are on. */
function environment(): Environment {
  shared ??= registerExtensions(
    new Environment({
      unlistedVariablesAreDyn: true,
      homogeneousAggregateLiterals: false,
      enableOptionalTypes: true,
      limits: { maxAstNodes: NODE_LIMIT, maxDepth: NESTING_LIMIT },
    }),
  );
  return shared;
}

/**
 * Parses a CEL expression as Flux does: syntax only, types are found out while it runs.
 * @throws CodedError `InvalidCELExpression`
 */
export function parseExpression(source: string): Expression {
  if (source.length > SOURCE_LIMIT) throw invalid(source, `longer than ${SOURCE_LIMIT} characters`);
  try {
    const { text, shape } = rewrite(environment().parse(source).ast);
    return new Parsed(source, shape, environment().parse(text));
  } catch (error) {
    throw invalid(source, firstLine(error), error);
  }
}

type Program = (context: Record<string, unknown>) => unknown;

class Parsed implements Expression {
  readonly source: string;
  readonly #shape: Shape;
  readonly #run: Program;
  readonly #variants = new Map<string, Program>();

  constructor(source: string, shape: Shape, run: Program) {
    this.source = source;
    this.#shape = shape;
    this.#run = run;
  }

  evaluate(variables: Variables): unknown {
    const extent: Extent = { values: 0, longest: 0, longestText: 0 };
    const context: Record<string, CelValue> = Object.create(null);
    try {
      const clashing = [...this.#shape.typeNames].filter((name) => Object.hasOwn(variables, name));
      for (const [name, value] of Object.entries(variables)) {
        context[clashing.includes(name) ? `${name}_variable` : name] = toCelValue(value, extent);
      }
      this.#assertAffordable(extent);
      return clashing.length === 0 ? this.#run(context) : this.#variant(clashing)(context);
    } catch (error) {
      if (error instanceof CodedError) throw error;
      throw failed(this.source, firstLine(error), error);
    }
  }

  evaluateBoolean(variables: Variables): boolean {
    const value = this.evaluate(variables);
    if (typeof value !== 'boolean') throw failed(this.source, 'want a bool');
    return value;
  }

  evaluateString(variables: Variables): string {
    const value = this.evaluate(variables);
    if (typeof value !== 'string') throw failed(this.source, 'want a string');
    return value;
  }

  /** A variable wins over a type of its name, as in cel-go; the library has it the other way round. */
  #variant(clashing: readonly string[]): Program {
    const key = clashing.join();
    let program = this.#variants.get(key);
    if (program === undefined) {
      program = environment().parse(rewrite(environment().parse(this.source).ast, new Set(clashing)).text);
      this.#variants.set(key, program);
    }
    return program;
  }

  /** CEL cannot be interrupted here, so what could take long is not begun. */
  #assertAffordable({ longest, longestText }: Extent): void {
    const { nodes, depth, longestLiteral, splits } = this.#shape;
    const length = Math.max(longest, longestLiteral, splits ? longestText : 0, 1);
    if (nodes * length ** depth <= COST_LIMIT) return;
    throw new CodedError({
      code: 'LimitExceeded',
      message: `evaluate the CEL expression '${this.source.slice(0, 200)}': ${depth} nested comprehensions over ${length} elements cost too much`,
      subject: this.source.slice(0, 200),
      remedy: 'nest fewer comprehensions, or look at a smaller part of the object',
      retryable: false,
    });
  }
}

function invalid(source: string, cause: string, error?: unknown): CodedError<CelErrorCode> {
  return new CodedError({
    code: 'InvalidCELExpression',
    message: `failed to parse the CEL expression '${source.slice(0, 200)}': ${cause}`,
    subject: source.slice(0, 200),
    retryable: false,
    ...(error === undefined ? {} : { cause: error }),
  });
}

function failed(source: string, cause: string, error?: unknown): CodedError<CelErrorCode> {
  return new CodedError({
    code: 'CELEvaluationFailed',
    message: `failed to evaluate the CEL expression '${source.slice(0, 200)}': ${cause}`,
    subject: source.slice(0, 200),
    ...(error === undefined ? {} : { cause: error }),
  });
}

/** The library's messages go on with a picture of the source. */
function firstLine(error: unknown): string {
  return errorMessage(error).split('\n')[0] ?? '';
}
