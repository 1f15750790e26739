"""Vision models of real architectures, tiny and with random weights, and pictures to learn from.

Each is saved with its own processor, a tokenizer of single bytes and the real chat template, so
that it opens by its folder as the published ones do by their names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LLAVA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}[INST] "
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>\n{% else %}"
    "{{ part['text'] }}{% endif %}{% endfor %} [/INST]{% else %} "
    "{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{{ eos_token }}{% endif %}"
    "{% endfor %}"
)
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMOL_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}:{% else %}: {% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% elif part['type'] == 'image' %}<image>{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
}  # fmt: skip
TEXT = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 2048,
}  # fmt: skip
GRID = [[32, 64], [64, 32], [64, 64]]


def byte_tokenizer(transformers: Any, specials: list[str], **named: str) -> Any:
    """One token a byte, and some special ones."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made, **named)
    tokenizer.add_special_tokens({"additional_special_tokens": specials})
    return tokenizer


def _text(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer), "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, **TEXT,
    }  # fmt: skip


def llava(folder: Path, transformers: Any) -> None:
    """LLaVA-1.6: CLIP, an MLP, Mistral; a picture is cut into tiles."""
    t = transformers
    tokenizer = byte_tokenizer(t, ["<image>"], bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    pictures = t.LlavaNextImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}, image_grid_pinpoints=GRID
    )
    processor = t.LlavaNextProcessor(
        pictures, tokenizer, patch_size=8, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=LLAVA_TEMPLATE,
    )  # fmt: skip
    config = t.LlavaNextConfig(
        vision_config=t.CLIPVisionConfig(image_size=32, patch_size=8, projection_dim=32, **VISION),
        text_config=t.MistralConfig(**_text(tokenizer)),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=GRID,
    )
    _sure(t.LlavaNextForConditionalGeneration(config)).save_pretrained(folder)
    processor.save_pretrained(folder)


def qwen(folder: Path, transformers: Any) -> None:
    """Qwen2.5-VL: pictures of any size, patches of all in one row; saved as its first release."""
    t = transformers
    specials = "<|im_start|> <|vision_start|> <|vision_end|> <|image_pad|> <|video_pad|>".split()
    tokenizer = byte_tokenizer(t, specials, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    ids = tokenizer.convert_tokens_to_ids
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "patch_size": 8,
        "spatial_merge_size": 2, "temporal_patch_size": 2, "out_hidden_size": 64,
        "window_size": 32, "fullatt_block_indexes": [1],
    }  # fmt: skip
    config = t.Qwen2_5_VLConfig(
        text_config={**_text(tokenizer), "rope_parameters": rope}, vision_config=vision,
        image_token_id=ids("<|image_pad|>"), video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"), vision_end_token_id=ids("<|vision_end|>"),
    )  # fmt: skip
    _sure(t.Qwen2_5_VLForConditionalGeneration(config)).save_pretrained(folder)
    tokenizer.chat_template = QWEN_TEMPLATE
    tokenizer.save_pretrained(folder)
    t.Qwen2VLImageProcessorPil(
        patch_size=8, merge_size=2, temporal_patch_size=2, min_pixels=256, max_pixels=64 * 64
    ).save_pretrained(folder)
    _processor_is(folder, "preprocessor_config.json", "Qwen2_5_VLProcessor")


def idefics(folder: Path, transformers: Any, kind: str = "Idefics3") -> None:
    """Idefics3: SigLIP, pixels shuffled together, Llama; a picture is cut into tiles."""
    t = transformers
    rows = [f"<row_{i}_col_{j}>" for i in range(1, 7) for j in range(1, 7)]
    specials = ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *rows]
    named = {"bos_token": "<|im_start|>", "eos_token": "<end_of_utterance>"}
    tokenizer = byte_tokenizer(t, specials, **named, pad_token="<|im_end|>")
    pictures = getattr(t, f"{kind}ImageProcessorPil")(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
    )
    config = getattr(t, f"{kind}Config")(
        vision_config={"image_size": 32, "patch_size": 8, **VISION},
        text_config={"model_type": "llama", **_text(tokenizer)},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    _sure(getattr(t, f"{kind}ForConditionalGeneration")(config)).save_pretrained(folder)
    processor = t.Idefics3Processor(
        pictures, tokenizer, image_seq_len=4, chat_template=SMOL_TEMPLATE
    )
    processor.save_pretrained(folder)
    _processor_is(folder, "processor_config.json", f"{kind}Processor")


def smol(folder: Path, transformers: Any) -> None:
    """SmolVLM: Idefics3 made small; its processor takes videos, too."""
    idefics(folder, transformers, "SmolVLM")


MAKERS: Mapping[str, Any] = {"llava": llava, "qwen": qwen, "smol": smol, "idefics": idefics}


def make_vision_model(name: str, folder: Path, transformers: Any, torch: Any) -> Path:
    """One of MAKERS in a folder; the same weights each time."""
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    MAKERS[name](folder, transformers)
    return folder


def write_pictures(folder: Path, names: Mapping[str, tuple[str, str]], each: int = 1) -> Path:
    """Plain pictures, a colour for each (person, company), and the gold of them."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for colour, (person, company) in names.items():
        for n in range(each):
            Image.new("RGB", (64 + 8 * n, 48), colour).save(folder / f"{colour}{n}.png")
            rows.append({"id": f"{colour}{n}", "image": f"{colour}{n}.png", "people": [[person]],
                         "companies": [[company]], "text": f"{person} of {company}"})  # fmt: skip
    path = folder / "gold.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def _sure(model: Any) -> Any:
    """With logits as wide apart as those of a trained model; it is frozen, and could not be."""
    model.lm_head.weight.data.mul_(20)
    return model


def _processor_is(folder: Path, file: str, name: str) -> None:
    path = folder / file
    told = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(told | {"processor_class": name}), "utf-8")
