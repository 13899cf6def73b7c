"""The decoder as it runs when what reads the question prunes inside it, for training.

A plan is {layer: visual tokens that run from that layer on}. Before such a layer the tokens stay to which the last prompt
token pays most attention in the layer before, averaged over heads. The choice itself gets no gradient; what runs behind it
learns to answer from what is left, and what runs before it to leave it there.
"""

import random

import torch
from torch.nn import functional as F
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

import data
import model

LONGEST = 40
# FastV at two depths, a sigmoid over depth with a quarter on average, and a pyramid.
PLANS = (
    {2: 0.25}, {2: 0.25}, {2: 0.15}, {3: 0.15},
    {1: 0.53, 2: 0.25, 3: 0.1, 4: 0.045, 5: 0.027, 6: 0.022, 7: 0.021},
    {2: 0.5, 4: 0.25, 6: 0.125}, {2: 0.25, 4: 0.0625, 6: 0.0156},
)


def plan(step):
    """({layer: count}, whether positions close up behind a site) of a step."""
    rng = random.Random(step)
    shares = rng.choice(PLANS)
    return {layer: max(1, round(share * model.VISUAL_TOKENS)) for layer, share in shares.items()}, rng.random() < 0.4


def rows(text, questions, rng):
    """Some questions of each packed image in rows of their own: ids, targets [R,L], last prompt token [R], image [R]."""
    ids, targets, _, blocks = text
    made = []
    for image in range(len(ids)):
        spans = [(blocks[image] == block).nonzero().flatten() for block in range(int(blocks[image].max()) + 1)]
        spans = [span for span in spans if len(span) <= LONGEST]
        for span in rng.sample(spans, min(questions, len(spans))):
            made.append((image, ids[image, span], targets[image, span]))
    pad = lambda parts, value: torch.nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=value)
    targets = pad([one[2] for one in made], data.IGNORED)
    last = (targets != data.IGNORED).int().argmax(dim=1)
    return pad([one[1] for one in made], 0), targets, last, torch.tensor([one[0] for one in made])


def projected(attention, states, cosine, sine):
    """Rotated queries and keys, and values: [B,heads,T,32]."""
    split = lambda linear: linear(states).unflatten(-1, (-1, attention.head_dim)).transpose(1, 2)
    query, key = apply_rotary_pos_emb(split(attention.q_proj), split(attention.k_proj), cosine, sine)
    return query, key, split(attention.v_proj)


def attended(attention, query, key, value, **how):
    out = F.scaled_dot_product_attention(query, key, value, enable_gqa=True, **how)
    return attention.o_proj(out.transpose(1, 2).flatten(2))


def through(layer, states, attended_states):
    states = states + attended_states
    return states + layer.mlp(layer.post_attention_layernorm(states))


@torch.no_grad()
def attention_row(query, key, last, visual):
    """Attention of token `last` [R] to the visual tokens, averaged over heads: [R,V]. Keys behind `last` don't count."""
    count, heads, length, size = query.shape
    own = query[torch.arange(count), :, last].unflatten(1, (key.shape[1], -1))
    scores = torch.einsum("rghd,rgtd->rght", own, key).float() / size ** 0.5
    first = key.shape[2] - length
    hidden = torch.arange(key.shape[2]).unsqueeze(0) > (first + last).unsqueeze(1)
    scores = scores.masked_fill(hidden[:, None, None], float("-inf"))
    return scores.softmax(-1).mean(dim=(1, 2))[:, visual]


def run(decoder, prefix, head, chosen, sites, compacted):
    """Last hidden states [R,L,W] of `rows`; `prefix` [B,P,W] is embedded, its visual tokens start at `head`."""
    ids, _, last, image = chosen
    tokens = decoder.embed_tokens(ids)
    count, length = ids.shape
    size = prefix.shape[1]
    where = torch.arange(size + length).expand(count, -1)
    cosine, sine = decoder.rotary_emb(prefix, where[:1])
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    sees = F.pad(causal, (size, 0), value=True)
    states, visual, score = None, size - head, None
    for number, layer in enumerate(decoder.layers):
        if number in sites:
            if states is None:
                prefix, states = None, torch.cat([prefix[image], tokens], dim=1)
            kept = score.topk(sites[number], dim=1).indices.sort(dim=1).values
            order = torch.cat([torch.arange(head).expand(count, -1), head + kept,
                               head + visual + torch.arange(length).expand(count, -1)], dim=1)
            states = states.gather(1, order.unsqueeze(-1).expand(-1, -1, states.shape[2]))
            visual = sites[number]
            where = torch.arange(order.shape[1]).expand(count, -1) if compacted else where.gather(1, order)
            cosine, sine = decoder.rotary_emb(states, where)
        attention = layer.self_attn
        if states is None:
            query, key, value = projected(attention, layer.input_layernorm(prefix), cosine[:, :size], sine[:, :size])
            own = projected(attention, layer.input_layernorm(tokens), cosine[:, size:], sine[:, size:])
            key, value = key.contiguous(), value.contiguous()
            keys, values = torch.cat([key[image], own[1]], dim=2), torch.cat([value[image], own[2]], dim=2)
            prefix = through(layer, prefix, attended(attention, query, key, value, is_causal=True))
            tokens = through(layer, tokens, attended(attention, own[0], keys, values, attn_mask=sees))
            query, key = own[0], keys
        else:
            query, key, value = projected(attention, layer.input_layernorm(states), cosine, sine)
            states = through(layer, states, attended(attention, query, key, value, is_causal=True))
            query = query[:, :, -length:]
        if number + 1 in sites:
            score = attention_row(query, key, last, slice(head, head + visual))
    return decoder.norm(states[:, -length:])
