"""The shape of squint-tiny: a LLaVA in miniature, built from the transformers classes, and its tokenizer."""

import random

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

import easyvqa
import scenes

BOS, EOS, PAD, IMAGE = "<s>", "</s>", "<pad>", "<image>"
LAYERS = 8
VISUAL_TOKENS = scenes.GRID * scenes.GRID
TEMPLATE = "USER: " + IMAGE + "\n{question} ASSISTANT:"
# The same letters, as transformers puts a chat.
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | upper }}: {% for part in message['content'] %}"
    "{{ '<image>\\n' if part['type'] == 'image' else part['text'] }}{% endfor %} {% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}")


def config(vocabulary, image_token):
    return LlavaConfig(
        vision_config=CLIPVisionConfig(
            image_size=scenes.SIDE, patch_size=scenes.PATCH, hidden_size=128, intermediate_size=512,
            num_hidden_layers=6, num_attention_heads=4, projection_dim=128, hidden_act="gelu"),
        text_config=LlamaConfig(
            vocab_size=vocabulary, hidden_size=128, intermediate_size=384, num_hidden_layers=LAYERS,
            num_attention_heads=4, num_key_value_heads=2, head_dim=32, max_position_embeddings=4096,
            rms_norm_eps=1e-5, tie_word_embeddings=False,
            bos_token_id=1, eos_token_id=2, pad_token_id=0),
        image_token_index=image_token, image_seq_length=VISUAL_TOKENS,
        vision_feature_layer=-2, vision_feature_select_strategy="default", projector_hidden_act="gelu",
        tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def build(tokenizer, attention="sdpa"):
    made = config(tokenizer.get_vocab_size(), tokenizer.token_to_id(IMAGE))
    made._attn_implementation = attention
    return LlavaForConditionalGeneration(made)


def train_tokenizer(easy_vqa_root):
    """Byte-level BPE over the training questions, answers and captions: any text encodes, none is unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=640, min_frequency=3, special_tokens=[PAD, BOS, EOS, IMAGE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(_corpus(easy_vqa_root), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))])
    return tokenizer


def _corpus(easy_vqa_root):
    for text, answer, _ in easyvqa.questions(easy_vqa_root, "train")[:6000]:
        yield TEMPLATE.replace(IMAGE, "").format(question=text) + " " + answer
    for index in range(2500):
        sc = scenes.scene("train", index)
        rng = random.Random(index)
        for _, text, answer in scenes.questions(sc, rng, 8):
            yield f"\n{text} ASSISTANT: {answer}"
        yield f"\n{scenes.CAPTION_PROMPT} ASSISTANT: {scenes.caption(sc)}"
