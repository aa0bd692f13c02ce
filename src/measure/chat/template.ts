import { parse, tokenize } from "@huggingface/jinja";
import { Evaluator, GENERATION, type Node } from "./evaluator.ts";
import { type Guard, make, type Recipe, Rope, recipeOf, slotsOf } from "./rope.ts";
import { fromJson, UnsupportedTemplate, unsupported, type Value } from "./values.ts";

export { TemplateError, UnsupportedTemplate } from "./values.ts";

/** A conversation as a template wrote it. Ranges are start, end, start, end, ... in UTF-16 code units, ascending. */
export interface Rendered {
  /** The text. */
  readonly text: string;
  /** Ranges that generation blocks wrote. */
  readonly generated: readonly number[];
  /** Ranges of what the assistant said, wherever the template put it. */
  readonly assistant: readonly number[];
}

export type Message = Readonly<Record<string, unknown>>;

interface Part {
  readonly recipe: Recipe;
  readonly generated: boolean;
  readonly assistant: boolean;
}

/** How conversations of a shape are put together, as long as the answers are these. */
interface Plan {
  readonly guards: readonly Guard[];
  readonly parts: readonly Part[];
}

/** Shapes that are kept, and plans of one: a template that asks about every word makes a plan for every conversation. */
const MOST_SHAPES = 4096;
const MOST_PLANS = 8;

/** The day that strftime_now tells: the same for ever, so that the same data have the same lengths. */
const TODAY = new Date(Date.UTC(2024, 6, 26));

interface Token {
  value: string;
  type: string;
}

const OPEN = new Set(["OpenParen", "OpenSquareBracket", "OpenCurlyBracket"]);
const CLOSE = new Set(["CloseParen", "CloseSquareBracket", "CloseCurlyBracket"]);

/** The end of the group in brackets that begins at `at`. */
function groupEnd(tokens: readonly Token[], at: number): number {
  let depth = 0;
  for (let i = at; i < tokens.length; i++) {
    if (OPEN.has(tokens[i].type)) depth++;
    if (CLOSE.has(tokens[i].type) && --depth === 0) return i + 1;
  }
  return unsupported("brackets that are not closed");
}

/** The end of the operand that begins at `at`: a literal, a name or a group, and what hangs on it. */
function operandEnd(tokens: readonly Token[], at: number): number {
  let end = OPEN.has(tokens[at].type) ? groupEnd(tokens, at) : at + 1;
  while (tokens[end - 1].type === "StringLiteral" && tokens[end]?.type === "StringLiteral") end++;
  for (;;) {
    if (tokens[end]?.type === "Dot") end += 2;
    else if (tokens[end]?.type === "OpenSquareBracket" || tokens[end]?.type === "OpenParen")
      end = groupEnd(tokens, end);
    else return end;
  }
}

/** The library's parser has no tests with arguments: `x is divisibleby(2)` becomes a filter of a name of its own. */
function testsAsFilters(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const isTest = tokens[i].type === "Identifier" && tokens[i].value === "is" && out[out.length - 1]?.type !== "Dot";
    const negated = isTest && tokens[i + 1]?.type === "Identifier" && tokens[i + 1].value === "not";
    const at = i + (negated ? 2 : 1);
    const next = tokens[at + 1];
    const hasArgument =
      isTest &&
      next !== undefined &&
      (["StringLiteral", "NumericLiteral"].includes(next.type) ||
        OPEN.has(next.type) ||
        (next.type === "Identifier" && !["else", "or", "and", "is", "if", "not", "in"].includes(next.value)));
    if (!hasArgument) {
      out.push(tokens[i]);
      continue;
    }
    out.push({ value: "|", type: "Pipe" });
    out.push({ value: `__${negated ? "not" : ""}test_${tokens[at].value}`, type: "Identifier" });
    const isCall = next.type === "OpenParen";
    const end = isCall ? groupEnd(tokens, at + 1) : operandEnd(tokens, at + 1);
    const inner = testsAsFilters(tokens.slice(at + 1, end));
    if (isCall) out.push(...inner);
    else out.push({ value: "(", type: "OpenParen" }, ...inner, { value: ")", type: "CloseParen" });
    i = end - 1;
  }
  return out;
}

/** `a < b < c` is one comparison in Jinja, but two in the library's tree, which no longer shows parentheses. */
function refuseChains(tokens: readonly Token[]): void {
  let seen: boolean[] = [false];
  for (const [i, { type, value }] of tokens.entries()) {
    const isWord = type === "Identifier";
    if (type === "OpenExpression" || type === "OpenStatement") {
      // The "in" of a loop is not a comparison.
      seen = [false];
    } else if (OPEN.has(type)) seen.push(false);
    else if (CLOSE.has(type)) seen.pop();
    else if (type === "ComparisonBinaryOperator" || (isWord && value === "in")) {
      const loop = value === "in" && seen.length === 1 && isLoopVariable(tokens, i);
      if (seen[seen.length - 1] && !loop) unsupported("comparisons in a chain");
      if (!loop) seen[seen.length - 1] = true;
    } else if (["Comma", "Equals", "Colon"].includes(type) || (isWord && ["and", "or", "if", "else"].includes(value))) {
      seen[seen.length - 1] = false;
    }
  }
}

function isLoopVariable(tokens: readonly Token[], at: number): boolean {
  let i = at - 1;
  while (i >= 0 && ["Identifier", "Comma", "OpenParen", "CloseParen"].includes(tokens[i].type)) {
    if (tokens[i].value === "for") return tokens[i - 1]?.type === "OpenStatement";
    i--;
  }
  return false;
}

/**
 * What the library's lexer does otherwise than Jinja's: it takes white space as JavaScript does, and trims lines without
 * looking whether a brace belongs to a tag.
 */
function refuseOddities(source: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\x1c-\x1f\x85\u2028\u2029\ufeff]/.test(source)) unsupported("white space that is not taken as such everywhere");
  if (/\{[%{#]\+|\+[%}]\}/.test(source)) unsupported("a tag with a plus sign");
  if (/\{%-?\s*raw\b/.test(source)) unsupported("a raw block");
  const withoutTags = source.replaceAll(/\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}/gs, "\0");
  if (/^[ \t]*\{-|[#%-]\}\n/m.test(withoutTags)) unsupported("a brace in its text that looks like one of a tag");
}

function compile(source: string): Node {
  const text = source.replaceAll(/\r\n?/g, "\n");
  refuseOddities(text);
  const marked = text
    .replaceAll(/(\{%-?\s*)generation(\s*-?%\})/g, `$1call ${GENERATION}()$2`)
    .replaceAll(/(\{%-?\s*)endgeneration(\s*-?%\})/g, "$1endcall$2");
  let tokens: Token[];
  try {
    tokens = tokenize(marked, { lstrip_blocks: true, trim_blocks: true }) as Token[];
    tokens = testsAsFilters(tokens);
    refuseChains(tokens);
    return parse(tokens as Parameters<typeof parse>[0]) as unknown as Node;
  } catch (error) {
    if (error instanceof UnsupportedTemplate) throw error;
    // The library says in many ways that it does not know something.
    return unsupported(`something that is not known: ${(error as Error).message}`);
  }
}

/** Strings that are not looked up in other conversations, but decide what is done. */
const DECISIVE = new Set(["role", "type"]);

/** The shape of a conversation, and its strings in order. */
class Shape {
  key = "";
  readonly slots: string[] = [];
  /** Whether the string of a slot is the assistant's. */
  readonly assistant: boolean[] = [];
  hasNumbers = false;
  #speaks = false;

  add(value: unknown, name: string): void {
    if (typeof value === "string") {
      if (DECISIVE.has(name)) this.key += JSON.stringify(value);
      else {
        this.key += "$";
        this.slots.push(value);
        this.assistant.push(this.#speaks);
      }
    } else if (Array.isArray(value)) {
      this.key += "[";
      for (const item of value) this.add(item, name);
      this.key += "]";
    } else if (typeof value === "object" && value !== null) {
      if ("value" in value && Object.getPrototypeOf(value) !== Object.prototype) {
        this.key += `#${(value as { value: number }).value}`;
        return;
      }
      this.key += "{";
      for (const [key, member] of Object.entries(value)) {
        this.key += `${JSON.stringify(key)}:`;
        this.add(member, key);
      }
      this.key += "}";
    } else {
      if (typeof value === "number") this.hasNumbers = true;
      this.key += `${String(value)},`;
    }
  }

  addMessages(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#speaks = message.role === "assistant";
      this.add(message, "");
    }
    this.#speaks = false;
  }
}

/** transformers fills in the names that templates have for reasoning. */
function withReasoning(message: Message): Message {
  const names = ["reasoning_content", "thinking", "reasoning"];
  const found = names.map((name) => message[name]).find((value) => value !== undefined && value !== null);
  return found === undefined ? message : { thinking: found, ...message, reasoning_content: found };
}

/** A chat template in Jinja, rendered as Python's Jinja2 and transformers render it. */
export class ChatTemplate {
  readonly #program: Node;
  readonly #names: Readonly<Record<string, Value>>;
  readonly #plans = new Map<string, Plan[]>();
  /** Whether it has generation blocks, which mark what is trained on. */
  readonly hasGeneration: boolean;
  /** Whether it looks into contents for typed parts. */
  readonly takesParts: boolean;

  /**
   * @param source The template's text.
   * @param names What the template finds beside the messages, such as bos_token.
   * @throws UnsupportedTemplate for a template that uses something that is not rendered here as in Python.
   */
  constructor(source: string, names: Readonly<Record<string, unknown>> = {}) {
    this.#program = compile(source);
    this.hasGeneration = /\{%-?\s*generation\s*-?%\}/.test(source);
    this.takesParts = /\[\s*['"]type['"]\s*\]|\.type\b|['"]type['"]/.test(source);
    this.#names = Object.fromEntries(
      Object.entries(names).map(([name, value]) => [name, fromJson(value, (text) => text)]),
    );
  }

  /**
   * Renders a conversation: messages as `{ role, content }`, and a list of tools or none.
   *
   * @throws TemplateError where Python raises; UnsupportedTemplate for what is not rendered here.
   */
  render(messages: readonly Message[], tools: unknown = undefined): Rendered {
    const chat = messages.map(withReasoning);
    const shape = new Shape();
    shape.addMessages(chat);
    shape.key += "|";
    shape.add(tools ?? null, "");
    const plans = this.#plans.get(shape.key);
    const fits = plans?.find(({ guards }) =>
      guards.every(({ of, ask, answer }) => ask(...of.map((recipe) => make(recipe, shape.slots))) === answer),
    );
    if (fits !== undefined) return assemble(fits.parts, shape.slots);
    const plan = this.#trace(chat, tools, shape);
    if (plans === undefined) {
      if (this.#plans.size >= MOST_SHAPES) this.#plans.clear();
      this.#plans.set(shape.key, [plan]);
    } else if (plans.length < MOST_PLANS) plans.push(plan);
    return assemble(plan.parts, shape.slots);
  }

  /** Renders step by step, and keeps how it was done. */
  #trace(messages: readonly Message[], tools: unknown, shape: Shape): Plan {
    let slot = 0;
    const toText = (text: string, key: string) =>
      DECISIVE.has(key) ? text : new Rope(text, { kind: "slot", slot: slot++ });
    const evaluator = new Evaluator(
      {
        ...this.#names,
        messages: fromJson(messages, toText),
        tools: fromJson(tools ?? null, toText),
        documents: null,
        add_generation_prompt: false,
      },
      TODAY,
    );
    const pieces = evaluator.render(this.#program);
    const parts: Part[] = [];
    for (const { text, generated } of pieces) {
      const recipe = recipeOf(text);
      for (const one of recipe.kind === "joined" ? recipe.parts : [recipe]) {
        const assistant = [...slotsOf(one)].some((index) => shape.assistant[index]);
        const last = parts[parts.length - 1];
        if (one.kind === "constant" && last?.recipe.kind === "constant" && last.generated === generated) {
          parts[parts.length - 1] = { ...last, recipe: { kind: "constant", text: last.recipe.text + one.text } };
        } else parts.push({ recipe: one, generated, assistant });
      }
    }
    return { guards: evaluator.questions.guards, parts };
  }
}

function assemble(parts: readonly Part[], slots: readonly string[]): Rendered {
  let text = "";
  const generated: number[] = [];
  const assistant: number[] = [];
  const extend = (ranges: number[], from: number) => {
    if (text.length === from) return;
    if (ranges[ranges.length - 1] === from) ranges[ranges.length - 1] = text.length;
    else ranges.push(from, text.length);
  };
  for (const part of parts) {
    const from = text.length;
    text += make(part.recipe, slots);
    if (part.generated) extend(generated, from);
    if (part.assistant) extend(assistant, from);
  }
  return { text, generated, assistant };
}
