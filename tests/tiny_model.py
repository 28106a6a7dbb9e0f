"""The real perceiver with a tiny random LALM over the real tokenizer: the whole path in a second or two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from soundflow.decide.backbones.config import DecoderConfig
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.context import Context
from soundflow.decide.kv_cache import rope_tables
from soundflow.decide.lalm import Lalm
from soundflow.decide.policy import Calibration
from soundflow.loop import Model
from soundflow.perceive.perceiver import Parts, Perceiver
from soundflow.perceive.projector import Projector, tag_embeddings

CHUNK = 6400


def tiny_model(parts: Path, threaded: bool = False, capacity: int = 160) -> Model:
    torch.manual_seed(0)
    context = Context.load(parts / "lm" / "tokenizer.json")
    config = DecoderConfig(
        vocab=49_152, width=24, layers=2, heads=2, kv_heads=1, head_dim=12, hidden=32, rope_theta=1e4,
        max_positions=2048, eps=1e-5,
    )  # fmt: skip
    llama = Decoder(config)
    for parameter in llama.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    llama.cos, llama.sin = rope_tables(config.max_positions, config.head_dim, config.rope_theta)
    llama.eval().requires_grad_(False)
    found = Parts(parts / "asr", parts / "vad" / "silero_vad_16k_op15.onnx", parts / "sound" / "yamnet.tflite")
    perceiver = Perceiver(found, CHUNK, executor=ThreadPoolExecutor(1) if threaded else None)
    projector = Projector(tag_embeddings(llama.embed.weight, [context.encode(n) for n in perceiver.labels]), 1024, 288)
    rows = torch.randn(2, 3, config.width)
    lalm = Lalm(llama, projector, rows[0], rows[1], torch.zeros(3), capacity)
    return Model("tiny", CHUNK, perceiver, lalm, context, Calibration())
