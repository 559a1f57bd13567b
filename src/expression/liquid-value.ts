/** Liquid wherever it stands in a value: texts are rendered, the structure around them stays whatever the values are. */
import { isObject, pointerTo, setOwn } from '../json.ts';
import { compileLiquid, type LiquidText, type LiquidVariable } from './liquid.ts';

type Values = Readonly<Record<string, unknown>>;

/** A value, or a function of what Liquid sees. */
export type LiquidPiece = { readonly constant: unknown } | { readonly render: (liquid: Values) => unknown };

/** A variable, and where the text that reads it stands in the value. */
export interface PlacedVariable {
  readonly pointer: string;
  readonly variable: LiquidVariable;
}

export interface LiquidValue {
  readonly piece: LiquidPiece;
  readonly variables: readonly PlacedVariable[];
}

/** How a text is rendered: values are escaped in `html`. */
export type TextKind = 'text' | 'html';

export interface LiquidValueOptions {
  /** The kind of the text at a path in the value; undefined if it is no Liquid and stays as it is. */
  readonly kindOf: (path: readonly string[]) => TextKind | undefined;
  /** As for one text. */
  readonly strict?: boolean;
  /** Where the value stands. */
  readonly pointer: string;
  /** Makes of what was thrown for the text at a pointer what is thrown instead. */
  readonly explain: (thrown: unknown, pointer: string) => unknown;
}

/** Compiles every text in a value. Throws what `compileLiquid` throws. */
export function compileLiquidValue(value: unknown, options: LiquidValueOptions): LiquidValue {
  const variables: PlacedVariable[] = [];
  const { explain, kindOf, strict = false } = options;

  const compiled = (source: string, kind: TextKind, pointer: string): LiquidText => {
    try {
      return compileLiquid(source, { html: kind === 'html', strict });
    } catch (thrown) {
      throw explain(thrown, pointer);
    }
  };

  const text = (source: string, path: readonly string[], pointer: string): LiquidPiece => {
    const kind = kindOf(path);
    if (kind === undefined) return { constant: source };
    const { constant, render, variables: found } = compiled(source, kind, pointer);
    for (const variable of found) variables.push({ pointer, variable });
    if (constant) return { constant: render({}) };
    return {
      render: (liquid) => {
        try {
          return render(liquid);
        } catch (thrown) {
          throw explain(thrown, pointer);
        }
      },
    };
  };

  const any = (each: unknown, path: readonly string[], pointer: string): LiquidPiece => {
    if (typeof each === 'string') return text(each, path, pointer);
    if (Array.isArray(each)) {
      const pieces = each.map((item, index) => any(item, [...path, `${index}`], pointerTo(pointer, index)));
      if (pieces.every(isConstant)) return { constant: pieces.map((piece) => piece.constant) };
      return { render: (liquid) => pieces.map((piece) => valueOfPiece(piece, liquid)) };
    }
    if (!isObject(each)) return { constant: each };
    const members = Object.entries(each).map(([name, member]): [string, LiquidPiece] => [
      name,
      any(member, [...path, name], pointerTo(pointer, name)),
    ]);
    const build = (liquid: Values) => {
      const object: Record<string, unknown> = {};
      for (const [name, piece] of members) setOwn(object, name, valueOfPiece(piece, liquid));
      return object;
    };
    return members.every(([, piece]) => isConstant(piece)) ? { constant: build({}) } : { render: build };
  };

  return { piece: any(value, [], options.pointer), variables };
}

/** The value of a piece for one rendering. */
export function valueOfPiece(piece: LiquidPiece, liquid: Values): unknown {
  return isConstant(piece) ? piece.constant : piece.render(liquid);
}

/** True where a piece is the same for everyone. */
export function isConstant(piece: LiquidPiece): piece is { readonly constant: unknown } {
  return 'constant' in piece;
}
