// Makes `ascii("text")` static bytes while asc compiles: memory.data<u8>([116, 101, 120, 116, 0]).
import { Node } from "assemblyscript";
import { Transform } from "assemblyscript/transform";

/** Makes the compiler's own 64-bit integers. */
const { i64_new: toI64 } = globalThis;

/** The text of the literal in `ascii("text")`; undefined for every other node. */
function textOf(node) {
  if (node.expression?.text !== "ascii" || node.args?.length !== 1) return undefined;
  const [literal] = node.args;
  return literal.value ?? (literal.parts?.length === 1 ? literal.parts[0] : undefined);
}

function toBytes(call, text) {
  const { range } = call;
  const codes = Array.from(`${text}\0`, (c) => c.codePointAt(0));
  if (codes.some((code) => code > 126)) throw new Error(`${range.source.normalizedPath}: not ASCII: ${text}`);
  const name = (text) => Node.createIdentifierExpression(text, range);
  call.expression = Node.createPropertyAccessExpression(name("memory"), name("data"), range);
  call.typeArguments = [Node.createNamedType(Node.createSimpleTypeName("u8", range), null, false, range)];
  const values = codes.map((code) => Node.createIntegerLiteralExpression(toI64(code), range));
  call.args = [Node.createArrayLiteralExpression(values, range)];
}

function visit(value, seen) {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (!Array.isArray(value)) {
    const text = textOf(value);
    if (text !== undefined) toBytes(value, text);
  }
  for (const [key, child] of Object.entries(value)) if (key !== "range" && key !== "source") visit(child, seen);
}

export default class extends Transform {
  afterParse(parser) {
    const seen = new Set();
    for (const source of parser.sources) if (!source.isLibrary) visit(source.statements, seen);
  }
}
