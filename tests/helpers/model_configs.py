"""The config.json of models that several tests are about: plain data, for any Python."""

# 01ai/Yi-34B-Chat-4bits, as far as anybody plans with it.
YI_34B = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 7168,
    "intermediate_size": 20480,
    "max_position_embeddings": 4096,
    "num_attention_heads": 56,
    "num_hidden_layers": 60,
    "num_key_value_heads": 8,
    "torch_dtype": "float16",
    "vocab_size": 64000,
    "quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128},
}
