"""Writes tokenizers.json: small tokenizers in the forms that the hub's models have, and what the
Python package tokenizers 0.21.4 makes of some texts with them. Needs sentencepiece too.

Run: python make.py
"""

import json
import pathlib
import tempfile

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
CORPUS = [
    "What is left of the circle? How many red circles are there, 12 or 345?",
    "USER: describe the picture. ASSISTANT: A square isn't a circle; it's 4-sided.",
    "Ein Bild mit einem Kreis und zwei Quadraten, größer als ÄÖÜ.",
    "图片里有几个圆形? 左边的是什么?",
] * 4
TEXTS = [
    "what is left of the circle?",
    "How many of the 12,345 red circles aren't  there...\n\nNone!",
    "größer als Á: é ﬁ ½ ①",
    "图片里有什么? 😀👍🏽",
    "USER: <image>\nwhat? ASSISTANT: <s> </s> <mask> x<mask> y",
    "\t  leading, trailing   ",
    "ZALGO z̵̢a̶l̷g̸o",
    "don't you'll I'm they've",
    "0x1F +- == [] {}",
    "\u200b\u00a0\u3000\ufeffa",
]

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def bpe(**options):
    return Tokenizer(models.BPE(**options))


def byte_level(pattern=None, normalizer=None, special=("<s>", "</s>", "<image>")):
    tokenizer = bpe()
    if normalizer:
        tokenizer.normalizer = normalizer
    if pattern:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single="<s>:0 $A:0", pair="<s>:0 $A:0 <s>:1 $B:1", special_tokens=[("<s>", 0)]
            ),
        ]
    )
    return tokenizer


def gpt2():
    tokenizer = byte_level()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    # Phi-2 and GPT-NeoX have runs of spaces among their added tokens.
    tokenizer.add_tokens([AddedToken("  ", normalized=True), AddedToken("   ", normalized=True)])
    return tokenizer


def clip():
    tokenizer = bpe(continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token="<|endoftext|>")
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(CLIP), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|startoftext|>", "<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(
        sep=("<|endoftext|>", 1), cls=("<|startoftext|>", 0), trim_offsets=False, add_prefix_space=False
    )
    return tokenizer


def sentencepiece_bpe(gemma):
    tokenizer = bpe(unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    if gemma:
        tokenizer.normalizer = normalizers.Replace(" ", "▁")
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        )
    else:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
        tokenizer.decoder = decoders.Sequence(
            [
                decoders.Replace("▁", " "),
                decoders.ByteFallback(),
                decoders.Fuse(),
                decoders.Strip(" ", 1, 0),
            ]
        )
    special = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % byte for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=380, special_tokens=special, show_progress=False)
    saved = tokenizer.pre_tokenizer
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(CORPUS, trainer)
    content = json.loads(tokenizer.to_str())
    content["pre_tokenizer"] = (
        {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
        if gemma
        else None
    )
    content["added_tokens"] = content["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.add_special_tokens([AddedToken("<image>", normalized=False, rstrip=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    assert saved is None or gemma
    return tokenizer


def unigram(normalize, form):
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder, "rules.tsv")
        rules.write_text("FB01\t66 69\nBD\t31 2044 32\n2460\t31\n3000\t20\nA0\t20\n7F\t\n41 300\tC0\n")
        corpus = pathlib.Path(folder, "corpus.txt")
        corpus.write_text("\n".join(CORPUS))
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus),
            model_prefix=str(pathlib.Path(folder, "m")),
            vocab_size=140,
            hard_vocab_limit=False,
            normalization_rule_tsv=str(rules),
        )
        processor = sentencepiece.SentencePieceProcessor(model_file=str(pathlib.Path(folder, "m.model")))
        proto = processor.serialized_model_proto()
        pieces = [(processor.id_to_piece(i), processor.get_score(i)) for i in range(len(processor))]
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto.FromString(proto)
    charsmap = model.normalizer_spec.precompiled_charsmap
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(charsmap)] + normalize)
    tokenizer.pre_tokenizer = form
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)]
    )
    return tokenizer


def t5():
    return unigram(
        [normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")],
        pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
    )


def xlmr():
    return unigram(
        [normalizers.Replace(Regex(" {2,}"), " ")],
        pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first")]
        ),
    )


def siglip():
    return unigram(
        [
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[!\"\#\$%\&'\(\)\*\+,\-\.:;=\?@\[\\\]\^_`\{\|\}\~]"), ""),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ],
        pre_tokenizers.Metaspace(prepend_scheme="always"),
    )


def bert():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=None)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=160, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    return tokenizer


def wordlevel():
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Nmt(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Whitespace(),
            pre_tokenizers.Punctuation("contiguous"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.UnicodeScripts(),
            pre_tokenizers.CharDelimiterSplit("_"),
        ]
    )
    tokenizer.decoder = decoders.CTC()
    trainer = trainers.WordLevelTrainer(vocab_size=80, special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


FORMS = {
    "gpt2": gpt2,
    "llama3": lambda: byte_level(LLAMA3),
    "qwen": lambda: byte_level(QWEN, normalizers.NFC()),
    "o200k": lambda: byte_level(O200K),
    "clip": clip,
    "llama2": lambda: sentencepiece_bpe(False),
    "gemma": lambda: sentencepiece_bpe(True),
    "t5": t5,
    "xlmr": xlmr,
    "siglip": siglip,
    "bert": bert,
    "wordlevel": wordlevel,
}


def case(tokenizer):
    content = json.loads(tokenizer.to_str())
    plain = Tokenizer.from_str(json.dumps(content))
    plain.no_truncation()
    plain.no_padding()
    rows = []
    for text in TEXTS:
        ids = plain.encode(text).ids
        rows.append({"text": text, "ids": ids, "decoded": plain.decode(ids)})
    return {"tokenizer": content, "rows": rows}


cases = {name: case(form()) for name, form in FORMS.items()}
(HERE / "tokenizers.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n")
