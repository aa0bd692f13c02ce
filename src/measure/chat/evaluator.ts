// Renders the tree of a template as Jinja2 does. The library gives the tree; its own interpreter follows JavaScript where
// Python does otherwise: strip() with an argument, lengths of strings, what lists and None print as, the remainder of
// negative numbers, the scope of what is set in a loop.
import { compare, dictMethod, filters, type Host, listMethod, tests } from "./filters.ts";
import { changed, concat, isText, peek, Questions, type Text } from "./rope.ts";
import { OTHER_METHODS, percent, stringMethod } from "./strings.ts";
import {
  Attributes,
  Callable,
  type Dict,
  equal,
  Float,
  isList,
  type Keywords,
  Markup,
  numberOf,
  raise,
  str,
  TemplateError,
  Tuple,
  truthy,
  typeName,
  Undefined,
  unsupported,
  type Value,
  wholeNumber,
} from "./values.ts";

/** A node of the library's tree, whose classes it does not export. */
export interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** A piece of output, and whether a generation block wrote it. */
export interface Piece {
  readonly text: Text;
  readonly generated: boolean;
}

class Break extends Error {}
class Continue extends Error {}

class Scope {
  readonly #names = new Map<string, Value>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  get(name: string): Value | undefined {
    const value = this.#names.get(name);
    return value === undefined ? this.#outer?.get(name) : value;
  }

  set(name: string, value: Value): void {
    this.#names.set(name, value);
  }
}

/** What `generation` blocks are turned into before the library parses them. */
export const GENERATION = "__generation__";

const NO_KEYWORDS: Keywords = new Map();
/** The most values of a range in the sandbox. */
const MAX_RANGE = 100_000;
const MAX_STEPS = 2_000_000;

export class Evaluator implements Host {
  readonly questions = new Questions();
  readonly #globals = new Scope();
  readonly #now: Date;
  #out: Piece[] = [];
  #generating = false;
  #steps = 0;
  readonly #loops = new Map<Node, boolean>();

  constructor(names: Readonly<Record<string, Value>>, now: Date) {
    this.#now = now;
    for (const [name, value] of Object.entries(this.#builtins())) this.#globals.set(name, value);
    for (const [name, value] of Object.entries(names)) this.#globals.set(name, value);
  }

  /**
   * @throws TemplateError where Python raises; UnsupportedTemplate for what is not done here.
   */
  render(program: Node): readonly Piece[] {
    this.#out = [];
    try {
      this.#block(program.body as Node[], new Scope(this.#globals));
    } catch (error) {
      if (error instanceof RangeError) raise("RecursionError", "maximum recursion depth exceeded");
      throw error;
    }
    return this.#out;
  }

  #builtins(): Record<string, Value> {
    const call = (name: string, fn: (args: readonly Value[], keywords: Keywords) => Value) => new Callable(name, fn);
    return {
      true: true,
      false: false,
      none: null,
      True: true,
      False: false,
      None: null,
      raise_exception: call("raise_exception", ([message]) => raise("TemplateError", peek(str(message ?? null)))),
      range: call("range", (args) => {
        const numbers = args.map((arg) =>
          typeof arg === "number"
            ? arg
            : raise("TypeError", `'${typeName(arg)}' object cannot be interpreted as an integer`),
        );
        const [start, stop, step = 1] = numbers.length === 1 ? [0, numbers[0]] : numbers;
        if (step === 0) raise("ValueError", "range() arg 3 must not be zero");
        const count = Math.max(0, Math.ceil((stop - start) / step));
        if (count > MAX_RANGE)
          raise("OverflowError", `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`);
        return Array.from({ length: count }, (_, i) => start + i * step);
      }),
      dict: call("dict", (args, keywords) => this.#dict(args, keywords)),
      namespace: call("namespace", (args, keywords) => {
        const members = this.#dict(args, keywords) as Map<string, Value>;
        return new Attributes("Namespace", members, true);
      }),
      strftime_now: call("strftime_now", ([format]) =>
        changed(isText(format) ? format : "", (text) => strftime(this.#now, text)),
      ),
      joiner: call("joiner", ([separator = ", "]) => {
        let used = false;
        return call("joiner", () => {
          const text = used ? separator : "";
          used = true;
          return text;
        });
      }),
      cycler: call("cycler", (items) => {
        let at = 0;
        const members = new Map<string, Value>();
        const current = () => members.set("current", items[at % items.length]);
        members.set(
          "next",
          call("next", () => {
            const item = items[at++ % items.length];
            current();
            return item;
          }),
        );
        members.set(
          "reset",
          call("reset", () => {
            at = 0;
            current();
            return null;
          }),
        );
        current();
        return new Attributes("Cycler", members);
      }),
      lipsum: call("lipsum", () => unsupported("lipsum(), which is random")),
    };
  }

  #dict(args: readonly Value[], keywords: Keywords): Dict {
    const dict: Dict = new Map();
    const [from] = args;
    if (from instanceof Map) for (const [key, value] of from) dict.set(key, value);
    else if (from !== undefined) {
      for (const pair of this.items(from)) {
        const [key, value] = this.items(pair);
        dict.set(isText(key) ? this.questions.exactly(key) : key, value);
      }
    }
    for (const [key, value] of keywords) dict.set(key, value);
    return dict;
  }

  #write(text: Text): void {
    if (peek(text) === "" && typeof text === "string") return;
    this.#out.push({ text, generated: this.#generating });
  }

  /** What `body` writes, as one string. */
  #captured(body: readonly Node[], scope: Scope): Text {
    const outer = this.#out;
    this.#out = [];
    try {
      this.#block(body, scope);
      return concat(this.#out.map(({ text }) => text));
    } finally {
      this.#out = outer;
    }
  }

  /** Ends a template that would run for ever. */
  #step(): void {
    if (++this.#steps > MAX_STEPS) raise("RuntimeError", "the template takes too many steps");
  }

  #block(body: readonly Node[], scope: Scope): void {
    for (const node of body) this.#statement(node, scope);
  }

  #statement(node: Node, scope: Scope): void {
    this.#step();
    switch (node.type) {
      case "Comment":
        return;
      case "If":
        this.#block((this.#truthy(node.test as Node, scope) ? node.body : node.alternate) as Node[], scope);
        return;
      case "For":
        this.#for(node, scope);
        return;
      case "Set":
        this.#set(node, scope);
        return;
      case "Macro":
        scope.set(nameOf(node.name), this.#macro(nameOf(node.name), node.args as Node[], node.body as Node[], scope));
        return;
      case "CallStatement":
        this.#callBlock(node, scope);
        return;
      case "FilterStatement":
        this.#write(
          str(this.#filter(this.#captured(node.body as Node[], new Scope(scope)), node.filter as Node, scope)),
        );
        return;
      case "Break":
        throw new Break();
      case "Continue":
        throw new Continue();
      default:
        this.#write(str(this.#value(node, scope)));
    }
  }

  #for(node: Node, scope: Scope): void {
    let iterable = node.iterable as Node;
    let test: Node | undefined;
    if (iterable.type === "SelectExpression") {
      test = iterable.test as Node;
      iterable = iterable.lhs as Node;
    }
    let items = this.items(this.#value(iterable, scope));
    const bind = (inner: Scope, item: Value) => this.#assign(node.loopvar as Node, item, inner);
    if (test !== undefined) {
      const condition = test;
      items = items.filter((item) => {
        this.#step();
        const inner = new Scope(scope);
        bind(inner, item);
        return this.#truthy(condition, inner);
      });
    }
    if (items.length === 0) {
      this.#block(node.defaultBlock as Node[], new Scope(scope));
      return;
    }
    const usesLoop = this.#usesLoop(node);
    let lastChanged: Value | undefined;
    for (const [i, item] of items.entries()) {
      this.#step();
      const inner = new Scope(scope);
      if (usesLoop) {
        inner.set(
          "loop",
          this.#loop(items, i, (value) => {
            const isNew = lastChanged === undefined || !equal(lastChanged, value, this.questions);
            lastChanged = value;
            return isNew;
          }),
        );
      }
      bind(inner, item);
      try {
        this.#block(node.body as Node[], inner);
      } catch (error) {
        if (error instanceof Continue) continue;
        if (error instanceof Break) return;
        throw error;
      }
    }
  }

  /** Whether a loop's body asks about it: most do not. */
  #usesLoop(node: Node): boolean {
    let uses = this.#loops.get(node);
    if (uses === undefined) {
      uses = mentions(node.body, "loop");
      this.#loops.set(node, uses);
    }
    return uses;
  }

  #loop(items: readonly Value[], i: number, isChanged: (value: Value) => boolean): Attributes {
    const { length } = items;
    return new Attributes(
      "LoopContext",
      new Map<string, Value>([
        ["index", i + 1],
        ["index0", i],
        ["revindex", length - i],
        ["revindex0", length - i - 1],
        ["first", i === 0],
        ["last", i === length - 1],
        ["length", length],
        ["depth", 1],
        ["depth0", 0],
        ["previtem", i > 0 ? items[i - 1] : new Undefined("there is no previous item")],
        ["nextitem", i < length - 1 ? items[i + 1] : new Undefined("there is no next item")],
        ["cycle", new Callable("cycle", (args) => args[i % args.length])],
        ["changed", new Callable("changed", (args) => isChanged(new Tuple(args)))],
      ]),
    );
  }

  #set(node: Node, scope: Scope): void {
    const value =
      node.value === null
        ? this.#captured(node.body as Node[], new Scope(scope))
        : this.#value(node.value as Node, scope);
    this.#assign(node.assignee as Node, value, scope);
  }

  #assign(target: Node, value: Value, scope: Scope): void {
    if (target.type === "Identifier") {
      scope.set(target.value as string, value);
      return;
    }
    if (target.type === "TupleLiteral") {
      const names = target.value as Node[];
      const items = this.items(value);
      if (items.length !== names.length) {
        raise(
          "ValueError",
          items.length > names.length
            ? `too many values to unpack (expected ${names.length})`
            : `not enough values to unpack (expected ${names.length}, got ${items.length})`,
        );
      }
      for (const [i, name] of names.entries()) this.#assign(name, items[i], scope);
      return;
    }
    if (target.type !== "MemberExpression") unsupported("setting something else than a name");
    const object = this.#value(target.object as Node, scope);
    if (!(object instanceof Attributes) || !object.isNamespace || target.computed === true) {
      raise("TemplateRuntimeError", "cannot assign attribute on non-namespace object");
    }
    const name = nameOf(target.property);
    if (name.startsWith("_")) raise("SecurityError", "a namespace takes no names that begin with an underscore");
    (object as Attributes).members.set(name, value);
  }

  #macro(name: string, parameters: readonly Node[], body: readonly Node[], scope: Scope, caller?: boolean): Callable {
    const names = parameters.map((parameter) => nameOf(parameter.type === "Identifier" ? parameter : parameter.key));
    return new Callable(name, (args, keywords) => {
      const inner = new Scope(scope);
      const rest = new Map(keywords);
      const passed = rest.get("caller");
      if (!caller && passed !== undefined) {
        inner.set("caller", passed);
        rest.delete("caller");
      }
      inner.set("varargs", new Tuple(args.slice(names.length)));
      const usesRest = (word: string) => mentions(body, word);
      if (args.length > names.length && !usesRest("varargs")) {
        raise("TypeError", `macro '${name}' takes not more than ${names.length} argument(s)`);
      }
      for (const [i, parameter] of parameters.entries()) {
        let value = args[i] ?? (i < args.length ? null : rest.get(names[i]));
        rest.delete(names[i]);
        if (value === undefined) {
          value =
            parameter.type === "Identifier"
              ? new Undefined(`parameter '${names[i]}' was not provided`)
              : this.#value(parameter.value as Node, inner);
        }
        inner.set(names[i], value);
      }
      if (rest.size > 0 && !usesRest("kwargs")) {
        raise("TypeError", `macro '${name}' takes no keyword argument '${[...rest.keys()][0]}'`);
      }
      inner.set("kwargs", new Map(rest));
      return this.#captured(body, inner);
    });
  }

  #callBlock(node: Node, scope: Scope): void {
    const call = node.call as Node;
    if (nameOf(call.callee) === GENERATION) {
      const outer = this.#generating;
      this.#generating = true;
      try {
        // In a scope of its own, as the body of a call block is.
        this.#block(node.body as Node[], new Scope(scope));
      } finally {
        this.#generating = outer;
      }
      return;
    }
    const caller = this.#macro("caller", (node.callerArgs as Node[] | null) ?? [], node.body as Node[], scope, true);
    const [args, keywords] = this.#arguments(call.args as Node[], scope);
    const macro = this.#value(call.callee as Node, scope);
    this.#write(str(this.#call(macro, args, new Map([...keywords, ["caller", caller]]))));
  }

  #truthy(node: Node, scope: Scope): boolean {
    return truthy(this.#value(node, scope), this.questions);
  }

  #value(node: Node, scope: Scope): Value {
    this.#step();
    switch (node.type) {
      case "StringLiteral":
        return node.value as string;
      case "IntegerLiteral":
        return wholeNumber(node.value as number);
      case "FloatLiteral":
        return new Float(node.value as number);
      case "ArrayLiteral":
        return (node.value as Node[]).map((item) => this.#value(item, scope));
      case "TupleLiteral":
        return new Tuple((node.value as Node[]).map((item) => this.#value(item, scope)));
      case "ObjectLiteral": {
        const dict: Dict = new Map();
        for (const [key, value] of node.value as Map<Node, Node>) {
          const name = this.#value(key, scope);
          dict.set(isText(name) ? this.questions.exactly(name) : name, this.#value(value, scope));
        }
        return dict;
      }
      case "Identifier": {
        const name = node.value as string;
        const value = scope.get(name);
        return value === undefined ? new Undefined(`'${name}' is undefined`) : value;
      }
      case "MemberExpression":
        return this.#member(node, scope);
      case "CallExpression": {
        const callee = this.#value(node.callee as Node, scope);
        const [args, keywords] = this.#arguments(node.args as Node[], scope);
        return this.#call(callee, args, keywords);
      }
      case "FilterExpression":
        return this.#filter(this.#value(node.operand as Node, scope), node.filter as Node, scope);
      case "TestExpression": {
        const test = tests[nameOf(node.test)] ?? unsupported(`the test "${nameOf(node.test)}"`);
        return test(this.#value(node.operand as Node, scope), [], this) !== (node.negate as boolean);
      }
      case "UnaryExpression":
        return this.#unary(node, scope);
      case "BinaryExpression":
        return this.#binary(node, scope);
      case "Ternary":
        return this.#value(
          (this.#truthy(node.condition as Node, scope) ? node.trueExpr : node.falseExpr) as Node,
          scope,
        );
      case "SelectExpression":
        return this.#truthy(node.test as Node, scope)
          ? this.#value(node.lhs as Node, scope)
          : new Undefined("the inline if-expression evaluated to false and no else section was defined.");
      default:
        return unsupported(`the part "${node.type}"`);
    }
  }

  #arguments(nodes: readonly Node[], scope: Scope): [Value[], Keywords] {
    const args: Value[] = [];
    let keywords: Map<string, Value> | undefined;
    for (const node of nodes) {
      if (node.type === "KeywordArgumentExpression") {
        keywords ??= new Map();
        keywords.set(nameOf(node.key), this.#value(node.value as Node, scope));
      } else if (node.type === "SpreadExpression") args.push(...this.items(this.#value(node.argument as Node, scope)));
      else if (node.type === "KeywordSpreadExpression") {
        keywords ??= new Map();
        const more = this.#value(node.argument as Node, scope);
        if (!(more instanceof Map)) raise("TypeError", `argument after ** must be a mapping, not ${typeName(more)}`);
        for (const [key, value] of more as Dict) keywords.set(peek(str(key)), value);
      } else args.push(this.#value(node, scope));
    }
    return [args, keywords ?? NO_KEYWORDS];
  }

  #call(callee: Value, args: readonly Value[], keywords: Keywords): Value {
    if (callee instanceof Undefined) return callee.fail();
    if (!(callee instanceof Callable)) return raise("TypeError", `'${typeName(callee)}' object is not callable`);
    return callee.call(args, keywords);
  }

  #filter(value: Value, node: Node, scope: Scope): Value {
    const isCall = node.type === "CallExpression";
    const name = nameOf(isCall ? node.callee : node);
    const [args, keywords]: [readonly Value[], Keywords] = isCall
      ? this.#arguments(node.args as Node[], scope)
      : [[], NO_KEYWORDS];
    // Tests with arguments come as filters of these names.
    const test = /^__(not)?test_(.+)$/.exec(name);
    if (test !== null) {
      const holds = tests[test[2]] ?? unsupported(`the test "${test[2]}"`);
      return holds(value, args, this) !== (test[1] === "not");
    }
    const filter = Object.hasOwn(filters, name) ? filters[name] : unsupported(`the filter "${name}"`);
    return filter(value, args, keywords, this);
  }

  #member(node: Node, scope: Scope): Value {
    const object = this.#value(node.object as Node, scope);
    const property = node.property as Node;
    if (node.computed !== true) {
      if (property.type === "IntegerLiteral") return this.item(object, property.value as number);
      return this.#attribute(object, property.value as string);
    }
    if (property.type === "SliceExpression") return this.#slice(object, property, scope);
    return this.item(object, this.#value(property, scope));
  }

  /** `a.b`: an attribute of Python's first, then the item. */
  #attribute(object: Value, name: string): Value {
    if (name.startsWith("_")) return unsupported(`the attribute ${name}`);
    return this.#own(object, name) ?? this.#item(object, name) ?? this.#missing(object, name);
  }

  /** `a["b"]`: the item first, then an attribute. */
  item(object: Value, key: Value): Value {
    const name = isText(key) ? this.questions.exactly(key) : key;
    const found = this.#item(object, name);
    if (found !== undefined) return found;
    if (typeof name !== "string") return this.#missing(object, name);
    return this.#own(object, name) ?? this.#missing(object, name);
  }

  #missing(object: Value, key: Value): Value {
    if (object instanceof Undefined) return object.fail();
    const shown = typeof key === "string" ? key : peek(str(key));
    if (object === null) return new Undefined(`'None' has no attribute '${shown}'`);
    const name = typeName(object);
    return new Undefined(
      typeof key === "string"
        ? `'${name} object' has no attribute '${shown}'`
        : `${name} object has no element ${shown}`,
    );
  }

  #own(object: Value, name: string): Value | undefined {
    if (isText(object)) {
      if (OTHER_METHODS.has(name)) unsupported(`the method ${name}() of a string`);
      return stringMethod(object, name, this.questions);
    }
    if (object instanceof Attributes) return object.members.get(name) ?? (object.members.has(name) ? null : undefined);
    if (object instanceof Map) {
      return (
        dictMethod(object, name, this) ??
        (/^(pop|popitem|update|setdefault|clear)$/.test(name) ? changing(name, typeName(object)) : undefined)
      );
    }
    if (isList(object)) {
      return (
        listMethod(object, name, this) ??
        (/^(append|extend|insert|pop|remove|sort|reverse|clear)$/.test(name)
          ? changing(name, typeName(object))
          : undefined)
      );
    }
    if (object instanceof Markup) return unsupported("a method of marked-up text");
    return undefined;
  }

  #item(object: Value, key: Value): Value | undefined {
    if (object instanceof Undefined) return object.fail();
    if (object instanceof Map) return object.get(key) ?? (object.has(key) ? null : undefined);
    const items = isList(object) ? object : object instanceof Tuple ? object.items : undefined;
    if (items !== undefined && (typeof key === "number" || typeof key === "boolean")) {
      return items[Number(key) < 0 ? items.length + Number(key) : Number(key)] ?? undefined;
    }
    if (isText(object) && typeof key === "number") {
      const at = (text: string) => {
        const points = Array.from(text);
        return points[key < 0 ? points.length + key : key];
      };
      const isThere = this.questions.ask([object], (text) => at(text) !== undefined);
      return isThere ? changed(object, (text) => at(text) ?? "") : undefined;
    }
    return undefined;
  }

  #slice(object: Value, node: Node, scope: Scope): Value {
    const part = (name: string): number | undefined => {
      const expression = node[name] as Node | undefined;
      if (expression === undefined) return undefined;
      const value = this.#value(expression, scope);
      if (value === null) return undefined;
      if (value instanceof Undefined) return value.fail();
      return typeof value === "number"
        ? value
        : raise("TypeError", "slice indices must be integers or None or have an __index__ method");
    };
    const [start, stop, step] = [part("start"), part("stop"), part("step")];
    if (step === 0) raise("ValueError", "slice step cannot be zero");
    if (isText(object)) return changed(object, (text) => slice(Array.from(text), start, stop, step).join(""));
    if (isList(object)) return slice(object, start, stop, step);
    if (object instanceof Tuple) return new Tuple(slice(object.items, start, stop, step));
    // Jinja takes what cannot be sliced for an item that is not there.
    return this.#missing(object, "slice");
  }

  items(value: Value): readonly Value[] {
    if (isList(value)) return value;
    if (value instanceof Tuple) return value.items;
    if (value instanceof Map) return [...value.keys()];
    if (value instanceof Undefined) return [];
    if (isText(value)) return this.questions.list(value, (text) => Array.from(text));
    return raise("TypeError", `'${typeName(value)}' object is not iterable`);
  }

  length(value: Value): number {
    if (isText(value)) return this.questions.ask([value], (text) => Array.from(text).length);
    if (value instanceof Markup) return unsupported("the length of marked-up text");
    if (isList(value) || value instanceof Tuple || value instanceof Map || value instanceof Undefined) {
      return this.items(value).length;
    }
    return raise("TypeError", `object of type '${typeName(value)}' has no len()`);
  }

  contains(container: Value, value: Value): boolean {
    if (isText(container)) {
      if (!isText(value))
        return raise("TypeError", `'in <string>' requires string as left operand, not ${typeName(value)}`);
      return this.questions.ask([container, value], (text, part) => text.includes(part));
    }
    if (container instanceof Map) {
      return container.has(isText(value) ? this.questions.exactly(value) : value);
    }
    if (isList(container) || container instanceof Tuple) {
      return this.items(container).some((item) => equal(item, value, this.questions));
    }
    if (container instanceof Undefined) return false;
    return raise("TypeError", `argument of type '${typeName(container)}' is not iterable`);
  }

  #unary(node: Node, scope: Scope): Value {
    const operator = (node.operator as { value: string }).value;
    if (operator === "not") return !this.#truthy(node.argument as Node, scope);
    const value = this.#value(node.argument as Node, scope);
    if (value instanceof Undefined) return value.fail();
    const number =
      numberOf(value) ?? raise("TypeError", `bad operand type for unary ${operator}: '${typeName(value)}'`);
    const signed = operator === "-" ? -number : number;
    return value instanceof Float ? new Float(signed) : signed + 0;
  }

  #binary(node: Node, scope: Scope): Value {
    const operator = (node.operator as { value: string }).value;
    const left = this.#value(node.left as Node, scope);
    if (operator === "and") return truthy(left, this.questions) ? this.#value(node.right as Node, scope) : left;
    if (operator === "or") return truthy(left, this.questions) ? left : this.#value(node.right as Node, scope);
    const right = this.#value(node.right as Node, scope);
    switch (operator) {
      case "==":
        return equal(left, right, this.questions);
      case "!=":
        return !equal(left, right, this.questions);
      case "in":
        return this.contains(right, left);
      case "not in":
        return !this.contains(right, left);
      case "~":
        if (left instanceof Markup || right instanceof Markup) unsupported("joining marked-up text");
        return concat([str(left), str(right)]);
      case "<":
        return this.#compare(operator, left, right) < 0;
      case "<=":
        return this.#compare(operator, left, right) <= 0;
      case ">":
        return this.#compare(operator, left, right) > 0;
      case ">=":
        return this.#compare(operator, left, right) >= 0;
      default:
        return this.#arithmetic(operator, left, right);
    }
  }

  #compare(operator: string, left: Value, right: Value): number {
    try {
      return compare(left, right, this.questions);
    } catch (error) {
      if (!(error instanceof TemplateError) || error.kind !== "TypeError") throw error;
      return raise(
        "TypeError",
        `'${operator}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`,
      );
    }
  }

  #arithmetic(operator: string, left: Value, right: Value): Value {
    if (left instanceof Undefined) return left.fail();
    if (right instanceof Undefined) return right.fail();
    if (left instanceof Markup || right instanceof Markup) unsupported("joining marked-up text");
    if (operator === "+") {
      if (isText(left)) {
        if (!isText(right)) raise("TypeError", `can only concatenate str (not "${typeName(right)}") to str`);
        return concat([left, right as Text]);
      }
      if (isList(left)) {
        if (!isList(right)) raise("TypeError", `can only concatenate list (not "${typeName(right)}") to list`);
        return [...left, ...(right as Value[])];
      }
      if (left instanceof Tuple && right instanceof Tuple) return new Tuple([...left.items, ...right.items]);
    }
    if (operator === "*") {
      const [many, times] = typeof left === "number" ? [right, left] : [left, right];
      if (typeof times === "number" && isText(many)) return changed(many, (text) => text.repeat(Math.max(times, 0)));
      if (typeof times === "number" && isList(many)) {
        if (many.length * times > MAX_RANGE) unsupported("a list with this many items");
        return Array.from({ length: Math.max(times, 0) }, () => many).flat();
      }
    }
    if (operator === "%" && isText(left)) {
      return percent(this.questions.exactly(left), right instanceof Tuple ? right.items : [right]);
    }
    const [a, b] = [numberOf(left), numberOf(right)];
    if (a === undefined || b === undefined) {
      return raise(
        "TypeError",
        `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`,
      );
    }
    const isFloat = left instanceof Float || right instanceof Float;
    const result = (value: number): Value => (isFloat ? new Float(value) : wholeNumber(value + 0));
    switch (operator) {
      case "+":
        return result(a + b);
      case "-":
        return result(a - b);
      case "*":
        return result(a * b);
      case "/":
        return b === 0 ? raise("ZeroDivisionError", "division by zero") : new Float(a / b);
      case "//":
        if (b === 0)
          raise("ZeroDivisionError", isFloat ? "float floor division by zero" : "integer division or modulo by zero");
        return result(Math.floor(a / b));
      case "%":
        if (b === 0) raise("ZeroDivisionError", isFloat ? "float modulo" : "integer division or modulo by zero");
        return result(((a % b) + b) % b);
      case "**":
        return !isFloat && b < 0 ? new Float(a ** b) : result(a ** b);
      default:
        return unsupported(`the operator ${operator}`);
    }
  }
}

/** The sandbox lets no template change what it was given. */
function changing(name: string, type: string): Callable {
  return new Callable(name, () =>
    raise("SecurityError", `access to attribute '${name}' of '${type}' object is unsafe.`),
  );
}

function nameOf(node: unknown): string {
  const { type, value } = node as Node;
  return type === "Identifier" ? (value as string) : unsupported(`"${type}" where a name is expected`);
}

/** Whether a name is read anywhere in these nodes. */
function mentions(node: unknown, name: string): boolean {
  if (Array.isArray(node)) return node.some((item) => mentions(item, name));
  if (node instanceof Map) return [...node].some((pair) => mentions(pair, name));
  if (typeof node !== "object" || node === null) return false;
  const { type, value } = node as Node;
  if (type === "Identifier" && value === name) return true;
  return Object.values(node).some((member) => mentions(member, name));
}

function slice<T>(items: readonly T[], start?: number, stop?: number, step = 1): T[] {
  const { length } = items;
  const bound = (value: number | undefined, usual: number, low: number, high: number) => {
    if (value === undefined) return usual;
    return Math.min(Math.max(value < 0 ? value + length : value, low), high);
  };
  const out: T[] = [];
  if (step > 0) {
    const end = bound(stop, length, 0, length);
    for (let i = bound(start, 0, 0, length); i < end; i += step) out.push(items[i]);
  } else {
    const end = bound(stop, -1, -1, length - 1);
    for (let i = bound(start, length - 1, -1, length - 1); i > end; i += step) out.push(items[i]);
  }
  return out;
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** `strftime` of a day, in UTC and English. */
function strftime(now: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const month = MONTHS[now.getUTCMonth()];
  const day = DAYS[now.getUTCDay()];
  const parts: Record<string, string> = {
    Y: String(now.getUTCFullYear()),
    y: two(now.getUTCFullYear() % 100),
    m: two(now.getUTCMonth() + 1),
    d: two(now.getUTCDate()),
    e: String(now.getUTCDate()).padStart(2, " "),
    B: month,
    b: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    H: two(now.getUTCHours()),
    M: two(now.getUTCMinutes()),
    S: two(now.getUTCSeconds()),
    "%": "%",
  };
  return format.replaceAll(/%(.)/g, (all, letter: string) => parts[letter] ?? unsupported(`strftime_now with ${all}`));
}
