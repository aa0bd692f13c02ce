import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatNamed } from "../../src/measure/chat/formats.ts";
import { ChatTemplate, type Message, TemplateError, UnsupportedTemplate } from "../../src/measure/chat/template.ts";
import { conversationOf } from "../../src/measure/conversation.ts";
import { parseExact } from "../../src/measure/data/exact-json.ts";
import { golden } from "./golden.ts";

type Rendering = string | { readonly err: string };

interface Facts {
  readonly templates: Readonly<Record<string, { readonly t: string; readonly kw: Record<string, string> }>>;
  readonly conversations: readonly (readonly Message[])[];
  readonly rendered: Readonly<Record<string, readonly Rendering[]>>;
}

/** The text, or the error as Python words it; a refusal by itself. */
function rendering(template: ChatTemplate, messages: readonly Message[]): Rendering | "refused" {
  try {
    return template.render(messages).text;
  } catch (error) {
    if (error instanceof TemplateError) return { err: `${error.kind}: ${error.message}` };
    if (error instanceof UnsupportedTemplate) return "refused";
    throw error;
  }
}

describe("chats.json", () => {
  const facts = golden<Facts>("chats.json");
  for (const [name, { t, kw }] of Object.entries(facts.templates)) {
    test(`${name}: rendered as by Python`, () => {
      const template = new ChatTemplate(t, kw);
      // Twice: the second time from what the first has kept.
      for (let round = 0; round < 2; round++) {
        for (const [i, messages] of facts.conversations.entries()) {
          expect([i, rendering(template, messages)]).toEqual([i, facts.rendered[name][i]]);
        }
      }
    });
  }
});

describe("expressions, filters, methods, blocks", () => {
  const facts = JSON.parse(readFileSync(new URL("../vectors/measure/templates.json", import.meta.url), "utf8")) as {
    conversations: readonly (readonly unknown[])[];
    rows: readonly (readonly [template: string, rendered: readonly Rendering[]])[];
  };
  // 1.5 in a call's arguments, which a template may print.
  const conversations = parseExact(JSON.stringify(facts.conversations)) as (readonly Message[])[];

  test("equal to Python's or refused, and seldom refused", () => {
    let refused = 0;
    const wrong: unknown[] = [];
    for (const [source, expected] of facts.rows) {
      let template: ChatTemplate;
      try {
        template = new ChatTemplate(source, { bos_token: "<s>" });
      } catch (error) {
        if (!(error instanceof UnsupportedTemplate)) throw error;
        refused += expected.length;
        continue;
      }
      for (let round = 0; round < 2; round++) {
        for (const [i, messages] of conversations.entries()) {
          const got = rendering(template, messages);
          if (got === "refused") refused += 0.5;
          else if (JSON.stringify(got) !== JSON.stringify(expected[i])) wrong.push([source, i, got, expected[i]]);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(refused / (facts.rows.length * 3)).toBeLessThan(0.1);
  });

  test.each([
    ["{{ 1 < 2 < 3 }}", "chain"],
    ["{% raw %}{{ x }}{% endraw %}", "raw"],
    ["a{%+ if true %}b{% endif %}", "plus"],
    ["{% include 'x' %}", "not known"],
    ["{{ x | frobnicate }}", "frobnicate"],
    ["{{ messages[0].__class__ }}", "__class__"],
    ["\ufeff{{ 1 }}", "white space"],
  ])("refuses %s", (source, why) => {
    expect(() => new ChatTemplate(source).render([{ role: "user", content: "x" }])).toThrow(why);
    expect(() => new ChatTemplate(source).render([{ role: "user", content: "x" }])).toThrow(UnsupportedTemplate);
  });

  test("strftime_now tells the same day for ever", () => {
    const template = new ChatTemplate("{{ strftime_now('%d %b %Y') }}");
    expect(template.render([]).text).toBe("26 Jul 2024");
  });

  test("a loop without end is stopped", () => {
    const nested =
      "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}";
    expect(() => new ChatTemplate(nested).render([])).toThrow(TemplateError);
    const deep = "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}";
    expect(() => new ChatTemplate(deep).render([])).toThrow(TemplateError);
  });
});

describe("put together from what was rendered before", () => {
  const templates = {
    thinking:
      "{% for m in messages %}{% if '</think>' in m.content and not loop.last %}{{ m.content.split('</think>')[-1].lstrip('\\n') }}{% else %}{{ m.role ~ ':' ~ m.content | trim }}{% endif %}|{% endfor %}",
    asking:
      "{% for m in messages %}{{ m.content | length }} {{ m.content[:2] }} {{ m.content == 'a' }} {% if m.content.startswith('b') %}{{ m.content | upper }}{% endif %}{% endfor %}{{ messages }}",
    words:
      "{% for m in messages %}{% for w in m.content.split() %}{{ loop.index }}{{ w | tojson }}{% endfor %};{% endfor %}",
  };
  const content = fc
    .array(fc.constantFrom("a", "b", " ", "\n", "</think>", "é", "😀", "'", '"', "\t", "\ufeff"), { maxLength: 6 })
    .map((parts) => parts.join(""));
  const chat = fc.array(fc.record({ role: fc.constantFrom("user", "assistant"), content }), {
    minLength: 1,
    maxLength: 3,
  });

  for (const [name, source] of Object.entries(templates)) {
    test(name, () => {
      const kept = new ChatTemplate(source);
      fc.assert(
        fc.property(chat, (messages) => {
          expect(rendering(kept, messages)).toEqual(rendering(new ChatTemplate(source), messages));
        }),
        { numRuns: 600, seed: 5 },
      );
    });
  }

  test("what the assistant says is marked wherever it is put", () => {
    const template = new ChatTemplate(
      "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</>\n{% endfor %}{{ messages[1].content }}",
    );
    const { text, assistant } = template.render([
      { role: "user", content: " question " },
      { role: "assistant", content: " answer " },
    ]);
    expect(assistant).toHaveLength(4);
    expect([text.slice(assistant[0], assistant[1]), text.slice(assistant[2], assistant[3])]).toEqual([
      "answer",
      " answer ",
    ]);
  });

  test("generation blocks are marked, whatever is in them", () => {
    const template = new ChatTemplate(
      "{%- for m in messages %}{{ m.role }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content }}<end>{% endgeneration %}{% else %}{{ m.content }}{% endif %}{{ '\\n' }}{% endfor %}",
    );
    expect(template.hasGeneration).toBe(true);
    for (const answer of ["one", "two words"]) {
      const { text, generated } = template.render([
        { role: "user", content: "q" },
        { role: "assistant", content: answer },
      ]);
      expect(text).toBe(`user: q\nassistant: ${answer}<end>\n`);
      expect(text.slice(generated[0], generated[1])).toBe(`${answer}<end>`);
    }
  });

  test("numbers are part of the shape: 1.0 is no 1", () => {
    const template = new ChatTemplate("{{ messages[0].x | tojson }} {{ messages[0].x }}");
    const message = (json: string) => [parseExact(json) as Message];
    expect(template.render(message('{"role":"user","x":1.0}')).text).toBe("1.0 1.0");
    expect(template.render(message('{"role":"user","x":1}')).text).toBe("1 1");
    expect(template.render(message('{"role":"user","x":1e30}')).text).toBe("1e+30 1e+30");
    expect(template.render(message('{"role":"user","x":[0.1,true,null]}')).text).toBe(
      "[0.1, true, null] [0.1, True, None]",
    );
  });
});

describe("InternVL's own formats", () => {
  const system = {
    "internlm2-chat":
      "你是由上海人工智能实验室联合商汤科技开发的书生多模态大模型，英文名叫InternVL, 是一个有用无害的人工智能助手。",
    internvl2_5:
      "你是书生·万象，英文名是InternVL，是由上海人工智能实验室、清华大学及多家合作单位联合开发的多模态大语言模型。",
  };
  const record = {
    image: "a.jpg",
    conversations: [
      { from: "human", value: "<image>\n What? " },
      { from: "gpt", value: " A cat.\n" },
      { from: "human", value: "Sure?" },
      { from: "gpt", value: "Yes" },
    ],
  };
  const write = (name: string, value: unknown = record) =>
    formatNamed(name, "<s>", "</s>").write(conversationOf(value));

  test("internvl2_5", () => {
    const { text, places, assistant } = write("internvl2_5");
    expect(text).toBe(
      `<|im_start|>system\n${system.internvl2_5}<|im_end|>\n<|im_start|>user\n<image>\n What? <|im_end|>\n<|im_start|>assistant\n A cat.\n<|im_end|>\n<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\nYes<|im_end|>\n`,
    );
    expect(places.map(({ start, end }) => text.slice(start, end))).toEqual(["<image>"]);
    expect(text.slice(assistant[0], assistant[1])).toBe(" A cat.\n<|im_end|>");
  });

  test("internlm2-chat strips, and has no line break behind a turn", () => {
    expect(write("internlm2-chat").text).toBe(
      `<|im_start|>system\n${system["internlm2-chat"]}<|im_end|><|im_start|>user\n<image>\n What?<|im_end|><|im_start|>assistant\nA cat.<|im_end|><|im_start|>user\nSure?<|im_end|><|im_start|>assistant\nYes<|im_end|>`,
    );
  });

  test("Hermes-2 and phi3-chat", () => {
    expect(write("Hermes-2").text).toContain(
      "<|im_start|>user\n<image>\n What? <|im_end|><|im_start|>assistant\n A cat.\n<|im_end|>",
    );
    expect(write("phi3-chat").text).toContain("<|system|>\n");
    expect(write("phi3-chat").text).toContain("<|end|><|user|>\nSure?<|end|><|assistant|>\nYes<|end|>");
  });

  test("a picture without a place stands in front of the first question; a list without one is refused, as there", () => {
    const bare = {
      image: "a.jpg",
      conversations: [
        { from: "human", value: "What?" },
        { from: "gpt", value: "x" },
      ],
    };
    expect(write("internvl2_5", bare).text).toContain("<|im_start|>user\n<image>\nWhat?<|im_end|>");
    expect(() => write("internvl2_5", { ...bare, image: ["a.jpg", "b.jpg"] })).toThrow("2 images in a list");
  });

  test("a turn of the system replaces the usual one in the newest format only; turns alternate in the others", () => {
    const own = {
      conversations: [
        { from: "system", value: "Be brief." },
        { from: "human", value: "a" },
        { from: "gpt", value: "b" },
      ],
    };
    expect(write("internvl2_5", own).text).toMatch(/^<\|im_start\|>system\nBe brief.<\|im_end\|>/);
    expect(() => write("internlm2-chat", own)).toThrow("no place for a turn of the system");
    const twice = {
      conversations: [
        { from: "human", value: "a" },
        { from: "human", value: "b" },
      ],
    };
    expect(() => write("Hermes-2", twice)).toThrow("must alternate");
    expect(write("internvl2_5", twice).text).toContain("a<|im_end|>\n<|im_start|>user\nb<|im_end|>\n");
  });

  test("an unknown name is an error that lists the known ones", () => {
    expect(() => formatNamed("vicuna", "", "")).toThrow(
      /known are internlm2-chat, Hermes-2, phi3-chat, internvl2_5, paligemma/,
    );
  });
});
