// Strings that remember where they come from. A template that is rendered with them tells, beside the text, how the text
// is made of the strings in a conversation, and what was asked about these on the way: the same steps make the text of
// every other conversation for which the answers are the same.

/** How a string is made: of a constant, of string number `slot` of the conversation, of others. */
export type Recipe =
  | { readonly kind: "constant"; readonly text: string }
  | { readonly kind: "slot"; readonly slot: number }
  | { readonly kind: "joined"; readonly parts: readonly Recipe[] }
  | { readonly kind: "changed"; readonly of: Recipe; readonly change: (text: string) => string };

/** The string of a recipe for a conversation's strings. */
export function make(recipe: Recipe, slots: readonly string[]): string {
  switch (recipe.kind) {
    case "constant":
      return recipe.text;
    case "slot":
      return slots[recipe.slot];
    case "joined": {
      let text = "";
      for (const part of recipe.parts) text += make(part, slots);
      return text;
    }
    case "changed":
      return recipe.change(make(recipe.of, slots));
  }
}

/** The slots that a recipe uses. */
export function slotsOf(recipe: Recipe, found = new Set<number>()): ReadonlySet<number> {
  if (recipe.kind === "slot") found.add(recipe.slot);
  else if (recipe.kind === "joined") for (const part of recipe.parts) slotsOf(part, found);
  else if (recipe.kind === "changed") slotsOf(recipe.of, found);
  return found;
}

/** A string with its recipe. */
export class Rope {
  readonly value: string;
  readonly recipe: Recipe;

  constructor(value: string, recipe: Recipe) {
    this.value = value;
    this.recipe = recipe;
  }
}

export type Text = string | Rope;

/** Something that was asked, and the answer: another conversation takes the same way if it answers alike. */
export interface Guard {
  readonly of: readonly Recipe[];
  readonly ask: (...texts: string[]) => string | number | boolean;
  readonly answer: string | number | boolean;
}

export const isText = (value: unknown): value is Text => typeof value === "string" || value instanceof Rope;

/** The string as it is in this conversation, for what is not asked about it: lengths of output, messages. */
export const peek = (text: Text): string => (typeof text === "string" ? text : text.value);

export const recipeOf = (text: Text): Recipe => (typeof text === "string" ? { kind: "constant", text } : text.recipe);

export function concat(texts: readonly Text[]): Text {
  if (texts.every((text) => typeof text === "string")) return texts.join("");
  const parts: Recipe[] = [];
  for (const text of texts) {
    const recipe = recipeOf(text);
    const last = parts[parts.length - 1];
    if (recipe.kind === "joined") parts.push(...recipe.parts);
    else if (recipe.kind === "constant" && recipe.text === "") continue;
    else if (recipe.kind === "constant" && last?.kind === "constant") {
      parts[parts.length - 1] = { kind: "constant", text: last.text + recipe.text };
    } else parts.push(recipe);
  }
  return new Rope(texts.map(peek).join(""), { kind: "joined", parts });
}

/** A string made from another. */
export function changed(text: Text, change: (text: string) => string): Text {
  if (typeof text === "string") return change(text);
  return new Rope(change(text.value), { kind: "changed", of: text.recipe, change });
}

/** What a rendering asks; the evaluator has one while it runs. */
export class Questions {
  readonly guards: Guard[] = [];

  ask<T extends string | number | boolean>(texts: readonly Text[], ask: (...texts: string[]) => T): T {
    const answer = ask(...texts.map(peek));
    if (texts.some((text) => typeof text !== "string")) this.guards.push({ of: texts.map(recipeOf), ask, answer });
    return answer;
  }

  /** The string itself, for which another conversation must have the very same. */
  exactly(text: Text): string {
    return typeof text === "string" ? text : this.ask([text], (value) => value);
  }

  /** Strings made from one, of which there are as many in every conversation that takes this way. */
  list(text: Text, split: (text: string) => readonly string[]): Text[] {
    if (typeof text === "string") return [...split(text)];
    const count = this.ask([text], (value) => split(value).length);
    return Array.from({ length: count }, (_, i) => changed(text, (value) => split(value)[i] ?? ""));
  }
}
